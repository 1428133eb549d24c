// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Bus
import Testing

/// Functions are brought back to their first state, step by step.
@Suite struct ResetTests {
  private let millisecond: UInt64 = 1_000_000

  private struct Rig {
    let bus: ModelBus
    let functions: [PCIFunction]
    let index: Int
    var reset: FunctionReset
    let method: ResetMethod
  }

  private func rig(_ models: KeyValuePairs<FunctionAddress, ModelFunction>, of address: FunctionAddress) throws -> Rig {
    let bus = ModelBus()
    for (address, model) in models { bus.add(address, model) }
    let functions = bus.scan()
    let found = functions.span.index(of: address)
    let index = try #require(found)
    let best = functions.span.resetMethod(of: index)
    let method = try #require(best)
    let saved = SavedConfiguration(of: functions[index], in: bus)
    let reset = FunctionReset(of: functions[index], by: method, saved, in: bus, now: 0)
    return Rig(bus: bus, functions: functions, index: index, reset: reset, method: method)
  }

  private func card() -> ModelFunction {
    let model = ModelFunction().memory(0, at: 0xf000_0000, size: 0x1000).express(0, canReset: true).power()
    model.put(UInt16(0x2810), at: 0x48)
    model.put(UInt16(7), at: 4)
    model.bytes[0x3c] = 11
    return model
  }

  /// What a reset does to a model.
  private func clear(_ model: ModelFunction) {
    model.put(UInt16(0), at: 4)
    model.put(UInt16(0), at: 0x48)
    model.put(UInt32(0), at: 16)
    model.bytes[0x3c] = 0
    model.silence = 3
  }

  @Test func `a function-level reset waits, and restores what firmware had set`() throws {
    let model = card()
    model.didWrite = { model, offset, _ in
      if offset == 0x48, model.word(0x48, as: UInt16.self) >> 15 == 1 { clear(model) }
    }
    model.put(UInt16(1 << 5), at: 0x4a)
    var rig = try rig([at(0, 3): model], of: at(0, 3))

    #expect(rig.method == .functionLevel)
    #expect(model.word(4, as: UInt16.self) == 0x400)
    #expect(rig.reset.step(in: rig.bus, now: 0) == .waiting(until: millisecond))
    model.put(UInt16(0), at: 0x4a)
    #expect(rig.reset.step(in: rig.bus, now: millisecond) == .waiting(until: 101 * millisecond))
    #expect(rig.reset.step(in: rig.bus, now: 100 * millisecond) == .waiting(until: 101 * millisecond))
    var now = 101 * millisecond
    var progress = rig.reset.step(in: rig.bus, now: now)
    for _ in 0..<10 {
      guard case .waiting(let next) = progress else { break }
      now = next
      progress = rig.reset.step(in: rig.bus, now: now)
    }

    #expect(progress == .done)
    #expect(model.word(16, as: UInt32.self) == 0xf000_0000)
    #expect(model.word(0x48, as: UInt16.self) == 0x2810)
    #expect(model.bytes[0x3c] == 11)
    // It answers again, but it is not master of the bus.
    #expect(model.word(4, as: UInt16.self) == 0x403)
    #expect(rig.reset.step(in: rig.bus, now: now) == .done)
  }

  @Test func `transactions that do not end do not keep the reset from going on`() throws {
    let model = card()
    model.put(UInt16(1 << 5), at: 0x4a)
    var rig = try rig([at(0, 3): model], of: at(0, 3))
    #expect(rig.reset.step(in: rig.bus, now: 99 * millisecond) == .waiting(until: 100 * millisecond))
    #expect(rig.reset.step(in: rig.bus, now: 100 * millisecond) == .waiting(until: 200 * millisecond))
  }

  @Test func `a function that never answers again has failed`() throws {
    let model = card()
    var rig = try rig([at(0, 3): model], of: at(0, 3))
    model.silence = .max
    _ = rig.reset.step(in: rig.bus, now: 100 * millisecond)
    _ = rig.reset.step(in: rig.bus, now: 200 * millisecond)
    #expect(rig.reset.step(in: rig.bus, now: 300 * millisecond) == .waiting(until: 301 * millisecond))
    #expect(rig.reset.step(in: rig.bus, now: 20_000 * millisecond) == .failed)
    #expect(rig.reset.step(in: rig.bus, now: 20_001 * millisecond) == .failed)
  }

  @Test func `another function in the place of the first is a failure`() throws {
    let model = card()
    var rig = try rig([at(0, 3): model], of: at(0, 3))
    model.put(UInt16(0x1af4), at: 0)
    for now in [0, 200, 300] { _ = rig.reset.step(in: rig.bus, now: UInt64(now) * millisecond) }
    #expect(rig.reset.step(in: rig.bus, now: 301 * millisecond) == .failed)
  }

  @Test func `a function without a reset of its own goes to D3 and back`() throws {
    let model = ModelFunction().power()
    var states: [UInt8] = []
    model.didWrite = { model, offset, _ in if offset == 0x44 { states.append(model.bytes[0x44] & 3) } }
    var rig = try rig([at(0, 3): model], of: at(0, 3))

    #expect(rig.method == .powerState)
    #expect(rig.reset.step(in: rig.bus, now: 0) == .waiting(until: 10 * millisecond))
    #expect(rig.reset.step(in: rig.bus, now: 10 * millisecond) == .waiting(until: 20 * millisecond))
    #expect(rig.reset.step(in: rig.bus, now: 20 * millisecond) == .waiting(until: 20 * millisecond))
    #expect(rig.reset.step(in: rig.bus, now: 20 * millisecond) == .done)
    #expect(states == [3, 0])
  }

  @Test func `a sleeping function is woken before anything else`() throws {
    let model = card()
    let power = 0x7c
    #expect(model.bytes[power] == 1)
    model.bytes[power + 4] = 3
    var rig = try rig([at(0, 3): model], of: at(0, 3))
    #expect(model.bytes[power + 4] & 3 == 0)
    #expect(rig.reset.step(in: rig.bus, now: millisecond) == .waiting(until: 10 * millisecond))
  }

  @Test func `a lone function behind a bridge is reset with its bus`() throws {
    let bridge = ModelFunction(classCode: 0x060400, header: 1).bridge(1, 1).express(4)
    let model = ModelFunction().express(0).power(keepsState: true)
    var rig = try rig([at(0, 1): bridge, at(1, 0): model], of: at(1, 0))

    #expect(rig.method == .secondaryBus(at(0, 1)))
    _ = rig.reset.step(in: rig.bus, now: 0)
    #expect(bridge.word(0x3e, as: UInt16.self) == 0x40)
    #expect(rig.reset.step(in: rig.bus, now: millisecond) == .waiting(until: 2 * millisecond))
    #expect(rig.reset.step(in: rig.bus, now: 2 * millisecond) == .waiting(until: 102 * millisecond))
    #expect(bridge.word(0x3e, as: UInt16.self) == 0)
    _ = rig.reset.step(in: rig.bus, now: 102 * millisecond)
    #expect(rig.reset.step(in: rig.bus, now: 102 * millisecond) == .done)
  }

  @Test func `no bus is reset that others are on, and no bridge`() {
    let bus = ModelBus()
    bus[0, 1, 0] = ModelFunction(classCode: 0x060400, header: 1).bridge(1, 1).express(4)
    bus[1, 0, 0] = ModelFunction().multifunction()
    bus[1, 0, 1] = ModelFunction()
    let found = bus.scan()
    #expect(found.indices.allSatisfy { found.span.resetMethod(of: $0) == nil })
  }

  @Test func `a conventional function's own reset is used`() throws {
    let model = ModelFunction().capability(0x13, [6, 3, 0, 0], writableFrom: 4)
    var rig = try rig([at(0, 3): model], of: at(0, 3))
    #expect(rig.method == .advancedFeatures)
    model.bytes[0x45] = 1
    #expect(rig.reset.step(in: rig.bus, now: 0) == .waiting(until: millisecond))
    model.bytes[0x45] = 0
    #expect(rig.reset.step(in: rig.bus, now: millisecond) == .waiting(until: 101 * millisecond))
    #expect(model.bytes[0x44] == 1)
  }
}
