// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// A guest's state as VM entry checks it (Intel SDM volume 3, §27.3.1). After an entry that failed, `offence` says which
/// field it was: the processor itself does not.
package struct VMXGuestState: Sendable {
  package var cr0: UInt64 = 0x21
  package var cr3: UInt64 = 0
  package var cr4: UInt64 = 0x2000
  package var dr7: UInt64 = 0x400
  package var efer: UInt64 = 0
  package var pat: UInt64 = 0x0007_0406_0007_0406
  package var rip: UInt64 = 0
  package var rflags: UInt64 = 2
  package var isLongMode = false
  package var cs = VMXSegment()
  package var ss = VMXSegment()
  package var ds = VMXSegment()
  package var es = VMXSegment()
  package var fs = VMXSegment()
  package var gs = VMXSegment()
  package var ldtr = VMXSegment()
  package var tr = VMXSegment()
  package var gdtr = VMXSegment()
  package var idtr = VMXSegment()
  package var activity: UInt32 = 0
  package var interruptibility: UInt32 = 0
  package var pendingDebug: UInt64 = 0
  package var injected = VMXEvent(rawValue: 0)
  package var fixedCR0: UInt64 = 0x20
  package var fixedCR4: UInt64 = 0x2000
  package var physicalAddressBits: UInt32 = 46

  package init() {}

  /// The first rule that the state breaks; `nil` if it breaks none of those known here.
  package var offence: VMXOffence? {
    controlOffence ?? segmentOffence ?? tableOffence ?? flowOffence
  }

  // MARK: - Control registers (§27.3.1.1)

  private var hasPaging: Bool { cr0 & 1 << 31 != 0 }
  private var isProtected: Bool { cr0 & 1 != 0 }

  private var controlOffence: VMXOffence? {
    if cr0 & fixedCR0 != fixedCR0 { return .init("CR0", cr0, "lacks a bit that VMX wants set") }
    if hasPaging, !isProtected { return .init("CR0", cr0, "has PG without PE") }
    if cr4 & fixedCR4 != fixedCR4 { return .init("CR4", cr4, "lacks a bit that VMX wants set") }
    if isLongMode, !hasPaging || cr4 & 1 << 5 == 0 { return .init("CR4", cr4, "has long mode without PAE or paging") }
    if !isLongMode, cr4 & 1 << 17 != 0 { return .init("CR4", cr4, "has PCIDE outside long mode") }
    if cr3 >> UInt64(physicalAddressBits) != 0 { return .init("CR3", cr3, "is above the memory of this processor") }
    if dr7 >> 32 != 0 { return .init("DR7", dr7, "has bits above 31") }
    for index in 0..<8 {
      let type = pat >> UInt64(8 * index) & 0xff
      if type > 7 || type == 2 || type == 3 { return .init("IA32_PAT", pat, "has a memory type that there is not") }
    }
    if efer & ~0xD01 != 0 { return .init("IA32_EFER", efer, "has a bit that this processor has not") }
    if (efer & 1 << 10 != 0) != isLongMode { return .init("IA32_EFER", efer, "has LMA other than the entry control") }
    if hasPaging, (efer & 1 << 8 != 0) != isLongMode { return .init("IA32_EFER", efer, "has LME other than LMA") }
    return nil
  }

  // MARK: - Segments (§27.3.1.2)

  private var segmentOffence: VMXOffence? {
    codeOffence ?? stackOffence ?? data("DS", ds) ?? data("ES", es) ?? data("FS", fs) ?? data("GS", gs)
      ?? taskOffence ?? localOffence
  }

  private var codeOffence: VMXOffence? {
    if rflags & 1 << 17 != 0 { return nil }
    let type = cs.rights & 0xf
    if type != 3, type != 9, type != 11, type != 13, type != 15 {
      return .init("CS", cs.word, "is not of an accessed type")
    }
    if cs.rights & 0x90 != 0x90 { return .init("CS", cs.word, "is not present, or a system segment") }
    if isLongMode, cs.rights & 0x6000 == 0x6000 { return .init("CS", cs.word, "has L and D") }
    if type == 3, cs.rights & 0x60 != 0 { return .init("CS", cs.word, "is a data segment outside ring 0") }
    if cs.base >> 32 != 0 { return .init("CS", cs.base, "has a base above 4 GiB") }
    return cs.limitOffence("CS")
  }

  private var stackOffence: VMXOffence? {
    if rflags & 1 << 17 != 0 { return nil }
    if !isProtected || cs.rights & 0xf == 3, ss.rights & 0x60 != 0 { return .init("SS", ss.word, "has a DPL above 0") }
    guard ss.isUsable else { return nil }
    if ss.rights & 0xb != 3 { return .init("SS", ss.word, "is not of a writable, accessed type") }
    if ss.rights & 0x90 != 0x90 { return .init("SS", ss.word, "is not present, or a system segment") }
    if ss.base >> 32 != 0 { return .init("SS", ss.base, "has a base above 4 GiB") }
    return ss.limitOffence("SS")
  }

  private func data(_ name: StaticString, _ segment: VMXSegment) -> VMXOffence? {
    guard rflags & 1 << 17 == 0, segment.isUsable else { return nil }
    if segment.rights & 1 == 0 || segment.rights & 0xa == 8 {
      return .init(name, segment.word, "is not of a readable, accessed type")
    }
    if segment.rights & 0x90 != 0x90 { return .init(name, segment.word, "is not present, or a system segment") }
    if !segment.base.isCanonical { return .init(name, segment.base, "has a base that is not canonical") }
    return segment.limitOffence(name)
  }

  private var taskOffence: VMXOffence? {
    let type = tr.rights & 0xf
    if !tr.isUsable || type != 11 && (isLongMode || type != 3) { return .init("TR", tr.word, "is not a busy task") }
    if tr.rights & 0x90 != 0x80 || tr.selector & 4 != 0 {
      return .init("TR", tr.word, "is not a present system segment")
    }
    if !tr.base.isCanonical { return .init("TR", tr.base, "has a base that is not canonical") }
    return tr.limitOffence("TR")
  }

  private var localOffence: VMXOffence? {
    guard ldtr.isUsable else { return nil }
    if ldtr.rights & 0x9f != 0x82 || ldtr.selector & 4 != 0 {
      return .init("LDTR", ldtr.word, "is not a present table")
    }
    if !ldtr.base.isCanonical { return .init("LDTR", ldtr.base, "has a base that is not canonical") }
    return ldtr.limitOffence("LDTR")
  }

  // MARK: - Descriptor tables, RIP, RFLAGS and what is pending (§27.3.1.3 to §27.3.1.5)

  private var tableOffence: VMXOffence? {
    if !gdtr.base.isCanonical || gdtr.limit > 0xffff { return .init("GDTR", gdtr.base, "has a wrong base or limit") }
    if !idtr.base.isCanonical || idtr.limit > 0xffff { return .init("IDTR", idtr.base, "has a wrong base or limit") }
    return nil
  }

  private var flowOffence: VMXOffence? {
    let isWide = isLongMode && cs.rights & 0x2000 != 0
    if isWide ? !rip.isCanonical : rip >> 32 != 0 { return .init("RIP", rip, "is out of range for the mode") }
    if rflags & 0xFFFF_FFFF_FFC0_802A != 2 { return .init("RFLAGS", rflags, "has a reserved bit wrong") }
    if rflags & 1 << 17 != 0, isLongMode || !isProtected {
      return .init("RFLAGS", rflags, "has VM outside protected mode")
    }
    let isEnabled = rflags & 1 << 9 != 0
    let word = UInt64(interruptibility)
    if activity > 3 { return .init("activity state", UInt64(activity), "is none of the four") }
    if interruptibility & 3 == 3 { return .init("interruptibility", word, "has the shadows of STI and of MOV SS") }
    if interruptibility & 1 != 0, !isEnabled { return .init("interruptibility", word, "has STI's shadow without IF") }
    if injected.isValid, injected.rawValue >> 8 & 7 == 0, !isEnabled || interruptibility & 3 != 0 {
      return .init("injection", UInt64(injected.rawValue), "is an interrupt that the guest cannot take now")
    }
    if interruptibility & 3 != 0 || activity == 1, (pendingDebug & 1 << 14 != 0) != (rflags & 1 << 8 != 0) {
      return .init("pending debug exceptions", pendingDebug, "has BS other than RFLAGS.TF")
    }
    return nil
  }
}

/// A segment as the VMCS has it.
package struct VMXSegment: Sendable {
  package var selector: UInt16 = 0
  package var rights: UInt32 = 0x93
  package var limit: UInt32 = 0xffff
  package var base: UInt64 = 0

  package init(selector: UInt16 = 0, rights: UInt32 = 0x93, limit: UInt32 = 0xffff, base: UInt64 = 0) {
    self.selector = selector
    self.rights = rights
    self.limit = limit
    self.base = base
  }

  var isUsable: Bool { rights & VMXAccessRights.unusable == 0 }
  var word: UInt64 { UInt64(rights) }

  /// G is set if bits 20-31 of the limit are not all 0, and clear if bits 0-11 are not all 1.
  func limitOffence(_ name: StaticString) -> VMXOffence? {
    let isScaled = rights & 1 << 15 != 0
    let isWrong = isScaled ? limit & 0xfff != 0xfff : limit >> 20 != 0
    return isWrong ? VMXOffence(name, UInt64(limit), "has a limit that does not go with G") : nil
  }
}

/// A field that VM entry refuses, what it holds, and why that cannot be.
package struct VMXOffence: Sendable {
  package let field: StaticString
  package let value: UInt64
  package let reason: StaticString

  init(_ field: StaticString, _ value: UInt64, _ reason: StaticString) {
    self.field = field
    self.value = value
    self.reason = reason
  }

  package var line: LogLine { "VM entry refused the guest's state: \(description)" }
  /// Without what it belongs to.
  package var description: LogLine { "\(field) \(hex: value) \(reason)" }
}

extension UInt64 {
  /// Whether bits 47 to 63 are all the same.
  var isCanonical: Bool { Int64(bitPattern: self) >> 47 == 0 || Int64(bitPattern: self) >> 47 == -1 }
}
