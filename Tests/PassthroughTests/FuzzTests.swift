// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Passthrough

private let rounds = fuzzRounds(200)

/// A guest that knows what it attacks: base addresses, command register, message capabilities and the table of messages of
/// a real card. After each access the function is asked for what the configuration says, and the rest is hidden.
@Test func `made-up writes to base addresses and tables move nothing but the guest's own ranges`() {
  var random = SplitMix64(seed: 55)
  for _ in 0..<rounds {
    let model = ModelFunction.card()
    let function = GuestCard(model)
    var attack = Attack(ranges: ModelFunction.cardRanges)
    for _ in 0..<100 {
      attack.step(function, &random)
      attack.check(function, model)
    }
    check(model)
  }
}

/// What a guest did, and what that must have led to.
private struct Attack {
  let ranges: InlineArray<6, FunctionRange>
  /// Where the function's ranges are mapped, as it was told.
  private var mapped: [Int: UInt64] = [:]
  private var open: Set<Int> = []
  private var delivery = FunctionDelivery.none

  init(ranges: InlineArray<6, FunctionRange>) { self.ranges = ranges }

  mutating func step(_ function: GuestCard, _ random: inout SplitMix64) {
    let value = UInt32.random(in: .min ... .max, using: &random)
    let width = [1, 2, 4].randomElement(using: &random) ?? 4
    switch Int.random(in: 0..<6, using: &random) {
    case 0, 1:
      // Base addresses and the ROM's, often all ones, as whoever asks for sizes writes.
      let offset = UInt8([0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x30].randomElement(using: &random) ?? 0x10)
      let skew = UInt8.random(in: 0..<4, using: &random)
      function.writeConfiguration(Bool.random(using: &random) ? .max : value, at: offset + skew, width: width)
    case 2: function.writeConfiguration(value, at: 4, width: width)
    case 3:
      let offset = UInt8([0xa0, 0xa2, 0xa3, 0xa4, 0xd0, 0xd2, 0xd4, 0xe8, 0x34].randomElement(using: &random) ?? 0xa2)
      function.writeConfiguration(value, at: offset, width: width)
    default:
      guard let base = function.tableBase else { return }
      let address = base &+ UInt64.random(in: 0..<0x1010, using: &random)
      guard function.claims(address: address) else { return }
      function.writeMemory(address, width: [1, 2, 4, 8].randomElement(using: &random) ?? 4, value: random.next())
    }
  }

  mutating func check(_ function: GuestCard, _ model: ModelFunction) {
    for asked in model.takeTrace() {
      switch asked {
      case .map(let range, let address): mapped[range] = address
      case .select(let wanted):
        delivery = wanted
        open = []
      case .message(let vector, let isOpen):
        #expect(delivery == .table, "no message is opened or masked that cannot be sent")
        #expect(vector < 5, "the card has five")
        if isOpen { open.insert(vector) } else { open.remove(vector) }
      case .write(let value, let offset):
        #expect(offset == 4 || offset == 0xe8 || offset == 0xea, "\(offset) is the kernel's")
        if offset == 4 { #expect(value & ~0x4 == 0, "bus mastering alone") }
      case .acknowledge, .portIn, .portOut: break
      }
    }
    let decodes = function.readConfiguration(4, width: 2) & 2 != 0
    for index in [0, 1, 3] {
      let base = UInt64(function.readConfiguration(UInt8(0x10 + 4 * index), width: 4) & ~0xf)
      #expect(base % ranges[index].size == 0)
      #expect(mapped[index] == (decodes ? base : nil), "range \(index) is where the guest's register says")
    }
    #expect(function.readConfiguration(0x30, width: 4) == 0, "there is no ROM")
    #expect(function.readConfiguration(0x34, width: 1) == 0xc8, "the list stays as it is")
  }
}

/// Made-up configuration space, base addresses, tables and accesses: nothing traps, and what is asked of the function
/// keeps to what its owner may.
@Test func `made-up functions and guests ask for nothing that is not theirs`() {
  var random = SplitMix64(seed: 5)
  for _ in 0..<rounds {
    let model = ModelFunction()
    for index in 0..<256 where Bool.random(using: &random) {
      model.bytes[index] = .random(in: .min ... .max, using: &random)
    }
    // Often a list that leads somewhere.
    model.bytes[6] |= 0x10
    model.bytes[0x34] = UInt8.random(in: 0x40...0xfc, using: &random) & 0xfc
    for _ in 0..<4 {
      let offset = Int.random(in: 16..<63, using: &random) * 4
      model.bytes[offset] = [1, 3, 5, 0x10, 0x11].randomElement(using: &random) ?? 5
      model.bytes[offset + 1] = UInt8.random(in: 0x40...0xfc, using: &random) & 0xfc
    }
    let function = GuestCard(model)
    for index in 0..<4 { function.place(index, at: .random(in: 0xc000_0000...0xfe00_0000, using: &random)) }
    for _ in 0..<100 { access(function, &random) }
    while function.takeMessage() != nil {}
    check(model)
  }
}

private func access(_ function: GuestCard, _ random: inout SplitMix64) {
  let width = [1, 2, 4].randomElement(using: &random) ?? 1
  let value = UInt32.random(in: .min ... .max, using: &random)
  let offset = UInt8.random(in: .min ... .max, using: &random)
  switch Int.random(in: 0..<9, using: &random) {
  case 0: _ = function.readConfiguration(offset, width: width)
  case 1, 2, 3: function.writeConfiguration(value, at: offset, width: width)
  case 4: function.writeConfiguration(value | 7, at: 4, width: 2)
  case 5:
    let address = (function.tableBase ?? 0xfdf4_0000) + UInt64.random(in: 0..<0x4000, using: &random)
    if function.claims(address: address) {
      function.writeMemory(address, width: [1, 2, 4, 8].randomElement(using: &random) ?? 4, value: random.next())
      _ = function.readMemory(address, width: 8)
    }
  case 6: function.raise(messages: random.next())
  case 7: if Bool.random(using: &random) { function.raiseLine() } else { function.lineEnded() }
  default:
    let port = UInt16.random(in: .min ... .max, using: &random)
    if function.claims(port: port) {
      function.writePort(port, width: width, value: value)
      _ = function.readPort(port, width: width)
    }
  }
}

private func check(_ model: ModelFunction) {
  for asked in model.trace {
    switch asked {
    case .map(let range, let address):
      #expect([0, 1, 3].contains(range))
      #expect((address ?? 0).isMultiple(of: ModelFunction.cardRanges[range].size))
    case .message(let vector, _): #expect((0..<16).contains(vector))
    case .portIn(_, let offset, let width): #expect(offset + UInt32(width) <= 32)
    case .portOut(_, let offset, let width, _): #expect(offset + UInt32(width) <= 32)
    case .write, .select, .acknowledge: break
    }
  }
}
