// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Processors

/// A local APIC that notes what is done to it.
final class ModelAPIC: APICAccess {
  enum Deed: Equatable {
    case write(APICRegister, UInt32)
    case command(UInt64)
    case base(UInt64)
    case pause
  }

  let mode: APICMode
  var base: UInt64
  /// How often a command is still on its way when somebody looks.
  var sending = 0
  private(set) var deeds: [Deed] = []

  init(_ mode: APICMode, base: UInt64 = 0xfee0_0900) {
    self.mode = mode
    self.base = base
  }

  func read(_ register: APICRegister) -> UInt32 {
    guard register == .commandLow, sending > 0 else { return 0 }
    sending -= 1
    return 1 << 12
  }

  func write(_ value: UInt32, to register: APICRegister) {
    if mode == .registers { #expect(register != .commandHigh && register != .commandLow, "no such register") }
    deeds.append(.write(register, value))
  }

  func writeCommand(_ value: UInt64) {
    #expect(mode == .registers, "no such register")
    deeds.append(.command(value))
  }

  func readBase() -> UInt64 { base }

  /// What a processor would refuse is a fault (Intel SDM volume 3, figure 11-27).
  func writeBase(_ value: UInt64) {
    let (old, new) = (base >> 10 & 3, value >> 10 & 3)
    #expect([0b0010, 0b1010, 0b1111, 0b1011, 0b0000, 0b1100].contains(old << 2 | new), "from \(old) to \(new)")
    base = value
    deeds.append(.base(value))
  }

  func pause() { deeds.append(.pause) }
}
