// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The control registers' rules on each vendor's processors.
extension ControlRule {
  package static var svmCR4: ControlRule { ControlRule(ControlBit.cr4) { $0.svm } }
  package static var svmEFER: ControlRule { ControlRule(ControlBit.efer) { $0.svm } }
  package static var vmxEFER: ControlRule { ControlRule(ControlBit.efer) { $0.vmx } }

  /// - Parameter fixed: Bits that VMX wants set; an unrestricted guest may clear PE and PG (Intel SDM volume 3, A.7).
  package static func vmxCR0(fixed: UInt64) -> ControlRule {
    var rule = ControlRule(ControlBit.cr0) { $0.vmx }
    rule.leaveRest()
    rule.hold(fixed & 0xffff_ffff & ~(1 << 0 | 1 << 31))
    return rule
  }

  /// CR4.MCE is set besides, behind the guest's back: with it clear a machine check shuts the processor down.
  ///
  /// - Parameter fixed: Bits that VMX wants set.
  package static func vmxCR4(fixed: UInt64) -> ControlRule {
    var rule = ControlRule(ControlBit.cr4) { $0.vmx }
    rule.hold(fixed & 0xffff_ffff | ExceptionPolicy.machineCheckEnable)
    return rule
  }

  private init<let count: Int>(_ bits: [count of ControlBit], _ rule: (ControlBit) -> BitRule) {
    for index in 0..<count { add(bits[index].bit, rule(bits[index])) }
  }
}

/// The mode that a guest writes a control register in.
package struct ControlMode: Sendable {
  /// EFER.LMA.
  package let isLong: Bool
  /// Whether operands have 64 bits.
  package let hasWideOperands: Bool

  package init(efer: UInt64, isLongCode: Bool) {
    isLong = efer & 1 << 10 != 0
    hasWideOperands = isLong && isLongCode
  }
}

extension ControlRule {
  /// Whether CR0 takes `value`, as far as the bits go that a guest does not have: NW without CD is #GP (Intel SDM volume 3,
  /// table 11-5).
  package static func allowsCR0(_ value: UInt64) -> Bool { value & (1 << 29 | 1 << 30) != 1 << 29 }

  /// What CR4 holds after the guest's write of `word`; `nil` if that is #GP: of a bit that nobody has, of long mode without
  /// PAE, or of PCIDE switched on outside long mode or over a PCID (AMD APM volume 2, §5.5.1; Intel SDM volume 3, §4.10.1).
  package func write(_ word: UInt64, over old: UInt64, _ mode: ControlMode, cr3: UInt64) -> UInt64? {
    let value = mode.hasWideOperands ? word : word & 0xffff_ffff
    let pae: UInt64 = 1 << 5
    let pcide: UInt64 = 1 << 17
    guard value & refused == 0 else { return nil }
    guard !mode.isLong || value & pae != 0 else { return nil }
    if value & ~old & pcide != 0 {
      guard mode.isLong, cr3 & 0xfff == 0 else { return nil }
    }
    return held(value)
  }
}
