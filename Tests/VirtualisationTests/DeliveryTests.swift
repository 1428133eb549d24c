// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Virtualisation

/// Control words that go together, a change to them, and what VM entry has against it.
private struct WrongWords: Sendable {
  let says: String
  let change: @Sendable (inout VMXControlWords) -> Void
}

private let wrongs: [WrongWords] = [
  WrongWords(says: "secondary controls 0x200 deliver interrupts without external-interrupt exiting") { $0.pin &= ~1 },
  WrongWords(says: "secondary controls 0x200 deliver interrupts without a TPR shadow") { $0.processor = 0 },
  WrongWords(says: "exit controls 0x408000 save the value of a timer that is not active") { $0.pin &= ~(1 << 6) },
  WrongWords(says: "pin controls 0xc1 post interrupts that nobody delivers") { $0.secondary = 0 },
  WrongWords(says: "pin controls 0xc1 post interrupts that nobody delivers") { $0.exit &= ~(1 << 15) },
]

@Suite struct DeliveryTests {
  @Test(arguments: wrongs)
  fileprivate func `control words that VM entry refuses are told by their name`(wrong: WrongWords) {
    var words = VMXControlWords(pin: 0xC1, processor: 1 << 21, secondary: 1 << 9, exit: 1 << 22 | 1 << 15)
    #expect(words.offence == nil)

    wrong.change(&words)

    let line = words.offence?.description ?? ""
    #expect(String(decoding: (0..<line.count).map { line.bytes[$0] }, as: UTF8.self) == wrong.says)
  }

  @Test func `an interrupt is left to the processor if its class is above the task priority, and only then`() {
    for vector in UInt32(0)..<256 {
      for priority in UInt64(0)..<16 {
        let status = VMXInterruptStatus(offering: 0x100 | vector, priority: priority)
        #expect((status != nil) == (vector / 16 > priority))
        guard let status else { continue }
        #expect(status.rawValue == vector)
        #expect(status.isWaiting)
      }
    }
  }

  @Test func `of a shared APIC the processor is told the highest of each set`() {
    #expect(VMXInterruptStatus(requests: [0, 0, 0, 0], inService: [0, 0, 0, 0]) == .idle)
    for vector in 0..<256 {
      var set: InlineArray<4, UInt64> = [UInt64(vector > 0 ? 1 : 0), 0, 0, 0]
      set[vector / 64] |= 1 << UInt64(vector % 64)
      #expect(VMXInterruptStatus(requests: set, inService: [0, 0, 0, 0]).rawValue == UInt16(vector))
      #expect(VMXInterruptStatus(requests: [2, 0, 0, 0], inService: set).rawValue == UInt16(vector) << 8 | 1)
    }
  }

  @Test func `an exit that took an interrupt says which`() {
    #expect(VMXEvent(rawValue: 0x8000_00e1).vector == 0xe1)
    #expect(VMXEvent(rawValue: 0xe1).vector == nil)
  }

  @Test func `an interrupt in service waits no more`() {
    #expect(!VMXInterruptStatus(rawValue: 0x3100).isWaiting)
    #expect(VMXInterruptStatus(rawValue: 0x3141).isWaiting)
    #expect(!VMXInterruptStatus.idle.isWaiting)
  }
}
