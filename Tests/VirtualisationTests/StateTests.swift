// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import TestSupport
import Testing

@testable import Virtualisation

/// A change to a good state, and the sentence that follows.
struct Wrong: Sendable {
  let says: String
  let change: @Sendable (inout VMXGuestState) -> Void

  init(_ says: String, _ change: @escaping @Sendable (inout VMXGuestState) -> Void) {
    self.says = says
    self.change = change
  }
}

/// A guest as it comes out of reset.
private var real: VMXGuestState {
  var state = VMXGuestState()
  state.cs.rights = 0x9B
  state.tr.rights = 0x8B
  state.ldtr.rights = 0x82
  return state
}

/// A guest in long mode.
private var long: VMXGuestState {
  var state = real
  state.cr0 = 0x8005_0033
  state.cr4 = 0x2020
  state.efer = 0xD01
  state.isLongMode = true
  state.cs = VMXSegment(selector: 0x10, rights: 0xA09B, limit: .max)
  state.ss = VMXSegment(selector: 0x18, rights: 0xC093, limit: .max)
  state.rip = 0xFFFF_FFFF_8100_0000
  return state
}

private let wrongs: [Wrong] = [
  Wrong("CR0 0x") { $0.cr0 = 0x1 },
  Wrong("CR0 0x80000020 has PG without PE") { $0.cr0 = 0x8000_0020 },
  Wrong("CR4 0x20 lacks a bit that VMX wants set") { $0.cr4 = 0x20 },
  Wrong("CR4 0x2000 has long mode without PAE or paging") { $0.cr4 = 0x2000 },
  Wrong("CR3 0x400000000000 is above the memory") { $0.cr3 = 1 << 46 },
  Wrong("DR7 0x100000400 has bits above 31") { $0.dr7 = 0x1_0000_0400 },
  Wrong("IA32_PAT 0x2") { $0.pat = 2 },
  Wrong("IA32_PAT 0x800000000000000") { $0.pat = 0x0800_0000_0000_0000 },
  Wrong("IA32_EFER 0x4d01 has a bit") { $0.efer = 0x4D01 },
  Wrong("IA32_EFER 0x901 has LMA other than") { $0.efer = 0x901 },
  Wrong("IA32_EFER 0xc01 has LME other than LMA") { $0.efer = 0xC01 },
  Wrong("CS 0xa098 is not of an accessed type") { $0.cs.rights = 0xA098 },
  Wrong("CS 0xe09b has L and D") { $0.cs.rights = 0xE09B },
  Wrong("CS 0x1000 has a limit that does not go with G") { $0.cs.limit = 0x1000 },
  Wrong("SS 0x100000 has a limit that does not go with G") { $0.ss = VMXSegment(rights: 0x4093, limit: 0x10_0000) },
  Wrong("SS 0xc091 is not of a writable") { $0.ss.rights = 0xC091 },
  Wrong("DS 0x92 is not of a readable, accessed type") { $0.ds.rights = 0x92 },
  Wrong("DS 0x800000000000 has a base that is not canonical") { $0.ds.base = 0x8000_0000_0000 },
  Wrong("GS 0x13 is not present") { $0.gs.rights = 0x13 },
  Wrong("TR 0x89 is not a busy task") { $0.tr.rights = 0x89 },
  Wrong("TR 0x1008b is not a busy task") { $0.tr.rights = 0x1008B },
  Wrong("LDTR 0x8b is not a present table") { $0.ldtr.rights = 0x8B },
  Wrong("GDTR 0x0 has a wrong base or limit") { $0.gdtr.limit = 0x1_0000 },
  Wrong("IDTR 0x1000000000000 has a wrong base") { $0.idtr.base = 1 << 48 },
  Wrong("RIP 0x1000000000000 is out of range") { $0.rip = 1 << 48 },
  Wrong("RFLAGS 0x0 has a reserved bit wrong") { $0.rflags = 0 },
  Wrong("RFLAGS 0x20002 has VM outside protected mode") { $0.rflags = 0x2_0002 },
  Wrong("activity state 0x4 is none of the four") { $0.activity = 4 },
  Wrong("interruptibility 0x3 has the shadows of STI and of MOV SS") { $0.interruptibility = 3 },
  Wrong("interruptibility 0x1 has STI's shadow without IF") { $0.interruptibility = 1 },
  Wrong("injection 0x80000031 is an interrupt that the guest cannot take now") { $0.injected = .interrupt(0x31) },
  Wrong("pending debug exceptions 0x4000 has BS other than RFLAGS.TF") {
    $0.interruptibility = 2
    $0.pendingDebug = 0x4000
  },
]

@Suite struct StateTests {
  @Test func `a guest out of reset and one in long mode may enter`() {
    #expect(real.offence == nil)
    #expect(long.offence == nil)
    var busy = long
    busy.rflags = 0x202
    busy.injected = .interrupt(0x31)
    #expect(busy.offence == nil)
  }

  @Test(arguments: wrongs)
  func `a state that VM entry refuses is told by its field`(wrong: Wrong) {
    var state = long
    wrong.change(&state)

    let line = state.offence?.line ?? ""
    let text = String(decoding: (0..<line.count).map { line.bytes[$0] }, as: UTF8.self)
    #expect(text.hasPrefix("VM entry refused the guest's state: \(wrong.says)"))
  }

  @Test func `a state of any bits is judged`() {
    var random = SplitMix64(seed: 19)
    func word() -> UInt64 { random.next() & random.next() }
    func segment() -> VMXSegment {
      VMXSegment(
        selector: UInt16(truncatingIfNeeded: word()), rights: UInt32(truncatingIfNeeded: word()),
        limit: UInt32(truncatingIfNeeded: word()), base: word())
    }
    for _ in 0..<fuzzRounds(1000) {
      var state = Bool.random(using: &random) ? real : long
      switch random.next() % 8 {
      case 0: (state.cr0, state.cr3, state.cr4) = (word(), word(), word())
      case 1: (state.cs, state.ss, state.tr) = (segment(), segment(), segment())
      case 2: (state.ds, state.fs, state.ldtr) = (segment(), segment(), segment())
      case 3: (state.gdtr, state.idtr) = (segment(), segment())
      case 4: (state.rip, state.rflags) = (word(), word())
      case 5: (state.efer, state.pat, state.dr7) = (word(), word(), word())
      case 6: state.injected = VMXEvent(rawValue: UInt32(truncatingIfNeeded: word()))
      default: (state.interruptibility, state.pendingDebug) = (UInt32(truncatingIfNeeded: word()), word())
      }
      if let line = state.offence?.line { #expect(line.count > 40) }
    }
  }

  @Test func `what the processor says of a refused entry comes before our own search`() {
    for qualification in UInt64(0)...8 {
      #expect((VMXEntryFailure.sentence(qualification) != nil) == (2...4).contains(qualification))
    }
  }

  @Test func `attributes survive the way there and back`() {
    for word in UInt16(0)..<0x1000 {
      let rights = VMXAccessRights(attributes: word)
      #expect(rights.attributes == word)
      #expect((rights.rawValue & VMXAccessRights.unusable != 0) == (word & 0x80 == 0))
      #expect(rights.rawValue & 0xFFFE_0F00 == 0)
    }
    // A null segment in long mode keeps the privilege level.
    #expect(VMXAccessRights(rawValue: 0x1_C0F3).attributes == 0xC73)
  }

  @Test func `events that an exit cut short are delivered again, but those of instructions`() {
    #expect(VMXEvent(rawValue: 0x31).repeated == nil)
    #expect(VMXEvent.interrupt(0x31).repeated == .interrupt(0x31))
    #expect(VMXEvent(rawValue: 0x8000_1B0E).repeated?.rawValue == 0x8000_0B0E)
    for type in UInt32(4)...7 {
      #expect(VMXEvent(rawValue: 1 << 31 | type << 8 | 0x80).repeated == nil)
    }
  }

  @Test func `entries of extended page tables have their memory type in pages alone`() {
    let memory = EPTEntry(page: 0x4000_0000, isWritable: true, isExecutable: true, isUncached: false, isLarge: true)
    let device = EPTEntry(page: 0xFEB0_0000, isWritable: true, isExecutable: false, isUncached: true, isLarge: false)

    #expect(memory.rawValue == 0x4000_00B7)
    #expect(device.rawValue == 0xFEB0_0003)
    #expect(EPTEntry(table: 0x1234_5000).rawValue == 0x1234_5007)
    #expect(EPTEntry.pointer(to: 0x1234_5000) == 0x1234_501E)
  }
}
