// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Passthrough

private let rounds = fuzzRounds(200)

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
