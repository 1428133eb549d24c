// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Bus

/// What the owner of a function may change of its configuration space by itself.
@Suite struct DelegatedTests {
  /// A card with all capabilities, every bit of whose configuration space can be written.
  private struct Card {
    let bus = ModelBus()
    let model = ModelFunction().memory64(0, at: 0xf000_0000, size: 0x4000).power().messages(canMask: true)
      .messageTable(5, range: 0, offset: 0, pending: 0x1000).express(0, canReset: true)
      .capability(3, [UInt8](repeating: 0, count: 6))
    let function: PCIFunction
    let express: Int
    let product: Int

    init() throws {
      bus[0, 4, 0] = model
      function = try #require(bus.scan().first)
      express = try #require(function.capabilities.express?.offset)
      product = try #require(function.capabilities.productData)
      model.writable = [UInt8](repeating: 0xff, count: 4096)
    }

    func write(_ value: UInt16, at offset: Int) { function.writeDelegated(value, at: offset, in: bus) }
    func word(_ offset: Int) -> UInt16 { model.word(offset) }
  }

  @Test func `bus mastering, request sizes, error bits and the address of product data are the owner's`() throws {
    let card = try Card()
    card.model.put(UInt16(0x0002), at: 4)

    card.write(0xffff, at: 4)
    #expect(card.word(4) == 0x0006)
    card.write(0, at: 4)
    #expect(card.word(4) == 0x0002)

    card.write(0xffff, at: card.express + 8)
    #expect(card.word(card.express + 8) == 0x7810)
    card.write(0x000f, at: card.express + 10)
    #expect(card.word(card.express + 10) == 0x000f)
    card.write(0xffff, at: card.product + 2)
    #expect(card.word(card.product + 2) == 0x7fff, "an address to read at: bit 15 would write")
  }

  @Test func `whatever an owner writes, and wherever, all else stays as it is`() throws {
    let card = try Card()
    let allowed: [Int: UInt8] = [
      4: 0x04, card.express + 8: 0x10, card.express + 9: 0x78, card.express + 10: 0x0f,
      card.product + 2: 0xff, card.product + 3: 0x7f,
    ]
    var random = SplitMix64(seed: 18)
    let offsets = Array(stride(from: 0, to: 256, by: 2))
    let writes =
      offsets.map { ($0, UInt16.max) }
      + (0..<fuzzRounds(2000)).map { _ in
        (offsets.randomElement(using: &random) ?? 0, .random(in: .min ... .max, using: &random))
      }
    for (offset, value) in writes {
      let before = card.model.bytes
      card.write(value, at: offset)
      for (index, pair) in zip(before, card.model.bytes).enumerated() where pair.0 != pair.1 {
        #expect((pair.0 ^ pair.1) & ~(allowed[index] ?? 0) == 0, "byte \(index) changed by \(value) at \(offset)")
      }
    }
  }

  @Test func `a function without capabilities has its bus mastering alone`() throws {
    let bus = ModelBus()
    let model = ModelFunction()
    bus[0, 4, 0] = model
    let function = try #require(bus.scan().first)
    model.writable = [UInt8](repeating: 0xff, count: 4096)
    let before = model.bytes

    for offset in stride(from: 0, to: 256, by: 2) { function.writeDelegated(.max, at: offset, in: bus) }

    let changed = before.indices.filter { before[$0] != model.bytes[$0] }
    #expect(changed == [4])
    #expect(model.bytes[4] == before[4] | 4)
  }
}
