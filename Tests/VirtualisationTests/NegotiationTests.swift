// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Virtualisation

/// The text of a line.
private func text(_ line: LogLine) -> String {
  String(decoding: (0..<line.count).map { line.bytes[$0] }, as: UTF8.self)
}

/// A processor that lacks one thing, and what people are told.
struct Lack: Sendable {
  let register: UInt32
  let value: UInt64
  let says: String
}

private let lacks: [Lack] = [
  Lack(register: 0x48D, value: 0x7E_0000_0016, says: "lacks 'external-interrupt exiting'"),
  Lack(register: 0x48D, value: 0x7F_0000_0096, says: "cannot do without 'process posted interrupts'"),
  Lack(register: 0x48E, value: 0x7FF9_FFFE_0400_6172, says: "lacks 'secondary controls'"),
  Lack(register: 0x48E, value: 0xFFD9_FFFE_0400_6172, says: "lacks 'use TPR shadow'"),
  Lack(register: 0x48E, value: 0xEFF9_FFFE_0400_6172, says: "lacks 'use MSR bitmaps'"),
  Lack(register: 0x48E, value: 0xFFF9_FFFA_0400_6172, says: "lacks 'interrupt-window exiting'"),
  Lack(register: 0x48E, value: 0xFFF9_FFFE_0401_E172, says: "cannot do without 'CR3-load exiting'"),
  Lack(register: 0x48B, value: 0xFD_0000_0000, says: "lacks 'enable EPT'"),
  // Nehalem (2008): all of it but this.
  Lack(
    register: 0x48B, value: 0x7F_0000_0000, says: "lacks 'unrestricted guest'; Intel's since Westmere (2010) have it"),
  Lack(register: 0x48B, value: 0xBF_0000_0000, says: "lacks 'WBINVD exiting'"),
  Lack(register: 0x48F, value: 0x5F_FFFF_0003_6DFB, says: "lacks 'load host IA32_EFER'"),
  Lack(register: 0x48F, value: 0x7B_FFFF_0003_6DFB, says: "lacks 'save IA32_PAT'"),
  Lack(register: 0x490, value: 0x7FFF_0000_11FB, says: "lacks 'load guest IA32_EFER'"),
  Lack(register: 0x490, value: 0xFFFF_0000_13FB, says: "cannot do without 'IA-32e mode guest'"),
  Lack(register: 0x48C, value: 0xF01_0633_0141, says: "no nested page tables of four levels"),
  Lack(register: 0x48C, value: 0xF01_0633_4101, says: "no nested page tables of four levels"),
  Lack(register: 0x48C, value: 0xF01_0623_4141, says: "has no INVEPT"),
  Lack(register: 0x48C, value: 0xF01_0033_4141, says: "has no INVEPT"),
]

@Suite struct NegotiationTests {
  @Test(arguments: ProcessorModel.fit)
  func `the control words are ones that the processor allows`(model: ProcessorModel) throws {
    let controls = try VMXControls(model.capabilities)

    let words = [
      (controls.pin, model.capabilities.pin), (controls.processor, model.capabilities.processor),
      (controls.secondary, model.capabilities.secondary), (controls.exit, model.capabilities.exit),
      (controls.entry, model.capabilities.entry),
    ]
    for (word, allowed) in words {
      let must = UInt32(truncatingIfNeeded: allowed)
      let may = UInt32(truncatingIfNeeded: allowed >> 32)
      #expect(word & must == must)
      #expect(word & ~may == 0)
    }
    for (added, allowed) in [
      (controls.processor | ProcessorControl.interruptWindow.mask, model.capabilities.processor),
      (controls.entry | EntryControl.longMode.mask, model.capabilities.entry),
    ] {
      #expect(added & ~UInt32(truncatingIfNeeded: allowed >> 32) == 0)
    }
  }

  @Test(arguments: ProcessorModel.fit)
  func `every fit processor runs guests alike`(model: ProcessorModel) throws {
    let controls = try VMXControls(model.capabilities)

    #expect(controls.pin & ~(1 << 6) == 0x3F)
    #expect(controls.processor == 0xB620_6DFA)
    #expect(controls.secondary & 0b1110_1010 == 0b1110_1010)
    #expect(controls.exit & ~(1 << 15) == 0x3F_6FFF)
    #expect(controls.entry & 0xC204 == 0xC004)
    #expect(controls.hasIdentifiers && controls.hasLargePages && controls.forgetsOne)
    #expect(controls.cr0.held(0) == 0x20)
    #expect(controls.cr4.held(0) == 0x2040)
  }

  @Test func `pages of 1 GiB, INVPCID and RDTSCP are used where they are`() throws {
    let old = try VMXControls(ProcessorModel.ivyBridge.capabilities)
    let new = try VMXControls(ProcessorModel.skylakeServer.capabilities)

    #expect(!old.hasHugePages && new.hasHugePages)
    #expect(old.secondary & 1 << 12 == 0 && new.secondary & 1 << 12 != 0)
    #expect(old.secondary & 1 << 3 != 0 && new.secondary & 1 << 3 != 0)
  }

  @Test func `nothing is set that was not asked for`() throws {
    let controls = try VMXControls(ProcessorModel.skylakeServer.capabilities)

    #expect(controls.secondary == 0b1_0010_1110_1010)
    #expect(controls.pin & 1 << 7 == 0)
  }

  @Test func `the preemption timer is used where it is and keeps its rate`() throws {
    let rates: [(ProcessorModel, UInt64?)] = [
      (.westmere, nil), (.sandyBridge, 5), (.ivyBridge, 5), (.silvermont, 5), (.skylake, 5), (.skylakeServer, 7),
      (.nested, nil), (.bochs, 0),
    ]
    for (model, shift) in rates {
      let controls = try VMXControls(model.capabilities)
      #expect(controls.timer?.shift == shift)
      #expect((controls.pin & 1 << 6 != 0) == (shift != nil))
      let end = shift == nil ? "an interrupt of the machine" : "the preemption timer"
      #expect(text(controls.line).contains("a guest's turn is ended by \(end)"))
    }
  }

  @Test func `interrupts that wait are delivered with no exit where that can be`() throws {
    for model in ProcessorModel.fit {
      let controls = try VMXControls(model.capabilities)
      let canDeliver = model.capabilities.secondary & 1 << 41 != 0
      #expect(controls.deliversInterrupts == canDeliver)
      #expect((controls.secondary & 1 << 9 != 0) == canDeliver)
      #expect(controls.sharing == (canDeliver ? 1 << 4 : 0))
      #expect(controls.secondary & 1 << 4 == 0)
      #expect(text(controls.line).hasSuffix(canDeliver ? "delivered and ended with no exit" : "delivered by an exit"))
    }
    let who = ProcessorModel.fit.filter { $0.capabilities.secondary & 1 << 41 != 0 }.map(\.name)
    #expect(who == ["Core i7-6700K", "Bochs 2.7", "Bochs 3.0"], "the second of that name is the server's")
  }

  @Test func `a local APIC is shared only where it can be delivered from and is one of x2APIC mode`() throws {
    let neither = ProcessorModel.skylakeServer.with([0x48B: 0x0237_7DEF_0000_0000])
    let noRegisters = ProcessorModel.skylakeServer.with([0x48B: 0x0237_7FEF_0000_0000])
    let noDelivery = ProcessorModel.skylakeServer.with([0x48B: 0x0237_7DFF_0000_0000])
    for model in [neither, noRegisters, noDelivery] {
      #expect(try VMXControls(model.capabilities).sharing == 0)
    }
    #expect(try text(VMXControls(noRegisters.capabilities).line).hasSuffix("delivered with no exit"))
    #expect(try text(VMXControls(noDelivery.capabilities).line).hasSuffix("delivered by an exit"))
  }

  @Test func `interrupts are posted where all of it is there, and the exit then takes those of the machine`() throws {
    for model in ProcessorModel.fit {
      let controls = try VMXControls(model.capabilities)
      let canPost = controls.sharing != 0 && model.capabilities.pin & 1 << 39 != 0
      #expect(controls.posting == (canPost ? 1 << 7 : 0))
      #expect((controls.exit & 1 << 15 != 0) == canPost)
      let line = "VMX: interrupts of other cores reach a guest that runs with no exit"
      #expect(controls.postingLine.map(text) == (canPost ? line : nil))
    }
    let who = try ProcessorModel.fit.filter { try VMXControls($0.capabilities).posting != 0 }
    #expect(who.map(\.name) == ["Core i7-6700K", "Bochs 3.0"], "the first is the server's")

    let noPosting = ProcessorModel.skylakeServer.with([0x48D: 0x7F_0000_0016])
    let noTaking = ProcessorModel.skylakeServer.with([0x48F: 0x1FF_7FFF_0003_6DFB])
    let noSharing = ProcessorModel.skylakeServer.with([0x48B: 0x0237_7FEF_0000_0000])
    for model in [noPosting, noTaking, noSharing] {
      let controls = try VMXControls(model.capabilities)
      #expect(controls.posting == 0 && controls.exit & 1 << 15 == 0)
    }
  }

  @Test(arguments: ProcessorModel.fit)
  func `what is negotiated breaks no rule of VM entry`(model: ProcessorModel) throws {
    #expect(try VMXControls(model.capabilities).offence == nil)
  }

  @Test(arguments: [0x2_0652, 0x2_0655, 0x3_06A8, 0x2_3655, 0xF003_06A8] as [UInt32])
  func `a timer that does not keep its rate is told by family, model and stepping alone`(signature: UInt32) throws {
    #expect(try VMXControls(ProcessorModel.skylake.with([:], signature: signature).capabilities).timer == nil)
    #expect(try VMXControls(ProcessorModel.skylake.with([:], signature: signature ^ 1).capabilities).timer != nil)
  }

  @Test(arguments: lacks)
  func `a processor that lacks something is refused with its name`(lack: Lack) {
    let error = #expect(throws: VMXObstacle.self) {
      try VMXControls(ProcessorModel.skylake.with([lack.register: lack.value]).capabilities)
    }
    #expect(error.map { text($0.line).contains(lack.says) } == true)
  }

  @Test func `a processor without the true registers cannot leave CR3 to guests`() {
    let error = #expect(throws: VMXObstacle.self) {
      try VMXControls(ProcessorModel.skylake.with([0x480: 0x5A_0400_0000_0004]).capabilities)
    }
    #expect(error.map { text($0.line) } == "this processor's VMX cannot do without 'CR3-load exiting'")
  }

  @Test func `registers that the processor has not are not read`() {
    var read: [UInt32] = []
    _ = VMXCapabilities(signature: 0) { number in
      read.append(number)
      return 0
    }
    #expect(Set(read).isDisjoint(with: [0x48B, 0x48C, 0x48D, 0x48E, 0x48F, 0x490]))
  }

  @Test func `a machine of nothing but ones or zeros is refused, not trusted`() {
    #expect(throws: VMXObstacle.self) { try VMXControls(VMXCapabilities(signature: 0) { _ in 0 }) }
    #expect(throws: VMXObstacle.self) { try VMXControls(VMXCapabilities(signature: .max) { _ in .max }) }
  }

  @Test func `what the firmware decided about VMX is one of three things`() {
    #expect(VMXPermission(0) == .open(value: 5))
    #expect(VMXPermission(0x2) == .open(value: 7))
    #expect(VMXPermission(5) == .allowed)
    #expect(VMXPermission(0x10_0005) == .allowed)
    #expect(VMXPermission(1) == .forbidden)
    // Only within a measured launch.
    #expect(VMXPermission(3) == .forbidden)
  }

  @Test func `every error of an instruction has a sentence`() {
    var sentences: Set<String> = []
    for number in UInt32(0)...30 { sentences.insert("\(VMXInstructionError.sentence(number))") }
    #expect(sentences.count > 20)
    #expect("\(VMXInstructionError.sentence(7))" == "VM entry refused the control fields")
    #expect("\(VMXInstructionError.sentence(.max))" == "VMX gives an error that Roost does not know")
  }
}
