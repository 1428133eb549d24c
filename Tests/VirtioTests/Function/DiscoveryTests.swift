// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Virtio

/// How a driver finds the device and its structures (virtio 1.2, §4.1.2 and §4.1.4).
@Suite struct DiscoveryTests {
  private let bench = FunctionBench()

  @Test func `it is a non-transitional network device`() {
    #expect(bench.configuration(0) == 0x1041_1af4)
    #expect(bench.configuration(0x0a, 2) == 0x0200)
    #expect(bench.configuration(8, 1) >= 1)
    #expect(bench.configuration(0x2e, 2) >= 0x40)
    #expect(bench.configuration(0x3d, 1) == 1)
  }

  @Test func `each structure has one capability, which counts its extra data`() throws {
    for type in [StructureType.common, .notify, .interruptStatus, .device, .window] {
      let found = try #require(bench.structure(type))
      #expect(found.size == (type == .notify || type == .window ? 20 : 16))
    }
    #expect(bench.capabilities.map(\.type) == [0x11, 9, 9, 9, 9, 9])
  }

  @Test func `structures are aligned, apart and inside their ranges`() throws {
    let common = try #require(bench.structure(.common))
    let cause = try #require(bench.structure(.interruptStatus))
    let device = try #require(bench.structure(.device))
    #expect(common.place % 4 == 0 && device.place % 4 == 0)
    #expect(common.count == 56 && cause.count >= 1 && device.count >= 12)
    let places =
      [common, cause, device].map { (Int($0.place), Int($0.place + $0.count)) } + [(0x800, 0x840), (0xc00, 0xc08)]
    for (first, second) in zip(places, places.dropFirst()) { #expect(first.1 <= second.0) }
    #expect([common, cause, device].allSatisfy { $0.range == 1 && $0.place + $0.count <= 4096 })
  }

  @Test func `each queue has a port of its own, two bytes wide`() throws {
    let notify = try #require(bench.structure(.notify))
    let multiplier = bench.configuration(notify.offset + 16)
    #expect(multiplier == 2)
    #expect(notify.range == 0 && notify.place % 2 == 0)
    for queue in 0..<3 as Range<UInt64> {
      bench[.queueSelect] = queue
      #expect(bench[.queueNotifyOffset] == queue)
      #expect(UInt64(notify.count) >= queue * UInt64(multiplier) + 2)
    }
  }

  @Test func `messages are as many as queues, and one for the configuration`() throws {
    let offset = try #require(bench.capabilities.first { $0.type == 0x11 }?.offset)
    #expect(bench.configuration(offset + 2, 2) == 3)
    #expect(bench.configuration(offset + 4) == 0x801)
    #expect(bench.configuration(offset + 8) == 0xc01)
  }

  @Test func `the guest changes only what is its own`() {
    for offset in stride(from: 0x40 as UInt8, to: 0xfc, by: 4) {
      let isWindow = (bench.function.window + 4...bench.function.window + 16).contains(offset)
      let before = bench.configuration(offset)
      bench.function.writeConfiguration(~before, at: offset, width: 4)
      if offset + 2 == bench.function.messageControl {
        #expect(bench.configuration(offset) ^ before == 0xc000_0000)
      } else if !isWindow {
        #expect(bench.configuration(offset) == before)
      }
    }
  }
}

/// Where the function's ranges are, and who moves them (PCI Local Bus 3.0, §6.2.5).
@Suite struct RangeTests {
  @Test func `nothing is claimed before the guest turns decoding on`() {
    let bench = FunctionBench(isDecoding: false)
    #expect(!bench.claims(port: FunctionBench.ports))
    #expect(!bench.claims(address: FunctionBench.memory))
    #expect(bench.configuration(0x10) == UInt32(FunctionBench.ports) | 1)
    #expect(bench.configuration(0x14) == UInt32(FunctionBench.memory))
    bench.function.writeConfiguration(3, at: 4, width: 2)
    #expect(bench.takeEvents() == .rangesChanged)
    #expect(bench.portBase == FunctionBench.ports)
    #expect(bench.memoryBase == FunctionBench.memory)
  }

  @Test func `ranges are claimed from the first to the last byte`() {
    let bench = FunctionBench()
    let (ports, memory) = (FunctionBench.ports, FunctionBench.memory)
    #expect(!bench.claims(port: ports - 1) && bench.claims(port: ports))
    #expect(bench.claims(port: ports + 15) && !bench.claims(port: ports + 16))
    #expect(!bench.claims(address: memory - 1) && bench.claims(address: memory))
    #expect(bench.claims(address: memory + 4095) && !bench.claims(address: memory + 4096))
  }

  @Test func `the guest moves them, and the owner hears of it`() {
    let bench = FunctionBench()
    bench.function.writeConfiguration(0xd000, at: 0x10, width: 4)
    #expect(bench.takeEvents() == .rangesChanged)
    #expect(bench.portBase == 0xd000)
    bench.function.writeConfiguration(0xd001, at: 0x10, width: 4)
    #expect(bench.takeEvents() == .none)
    bench.function.writeConfiguration(0xffff_fff0, at: 0x10, width: 4)
    #expect(bench.takeEvents() == .rangesChanged)
    #expect(bench.portBase == nil)
    bench.function.writeConfiguration(0, at: 4, width: 2)
    #expect(bench.takeEvents() == .rangesChanged)
    #expect(bench.memoryBase == nil)
  }

  @Test func `an access that is not the function's changes nothing and reads as ones`() {
    let bench = FunctionBench()
    bench.function.writeMemory(0x1000, width: 1, value: 1)
    bench.function.writePort(0x80, width: 2, value: 0)
    let answer = bench.function.readMemory(0x1000, width: 4)
    #expect(answer == .max)
    #expect(bench.status == .none && bench.takeEvents() == .none)
  }
}

/// The way to all structures through configuration space alone (virtio 1.2, §4.1.4.9).
@Suite struct WindowTests {
  private let bench = FunctionBench(isDecoding: false)

  private func aim(_ range: UInt32, _ offset: UInt32, _ width: UInt32) {
    let window = bench.function.window
    bench.function.writeConfiguration(range, at: window + 4, width: 1)
    bench.function.writeConfiguration(offset, at: window + 8, width: 4)
    bench.function.writeConfiguration(width, at: window + 12, width: 4)
  }

  private var data: UInt32 {
    get { bench.configuration(bench.function.window + 16) }
    nonmutating set { bench.function.writeConfiguration(newValue, at: bench.function.window + 16, width: 4) }
  }

  @Test func `a driver negotiates through it while nothing is decoded`() {
    aim(1, 20, 1)
    data = 3
    #expect(data & 0xff == 3)
    aim(1, 0, 4)
    data = 1
    aim(1, 4, 4)
    #expect(data == 1)  // VERSION_1
    aim(1, 0x400, 2)
    #expect(data & 0xffff == 0x0002)
  }

  @Test func `a port is kicked through it`() {
    bench.function.writeConfiguration(7, at: 4, width: 2)
    bench.start()
    _ = bench.takeEvents()
    aim(0, 2, 2)
    data = 1
    #expect(bench.takeEvents() == .kick(1))
    #expect(data & 0xffff == 0)
  }

  @Test(arguments: [(1, 20, 0), (1, 20, 3), (1, 20, 8), (1, 21, 2), (1, 4096, 1), (1, 4094, 4), (2, 20, 1)])
  func `a place that cannot be is neither read nor written`(range: UInt32, offset: UInt32, width: UInt32) {
    aim(range, offset, width)
    data = 0x0101_0101
    #expect(data == 0x0101_0101)
    aim(1, 20, 1)
    #expect(data & 0xff == 0)
  }

  @Test func `no offset leads outside`() {
    for offset in [0xffff_ffff, 0xffff_fffc, 0x8000_0000] as [UInt32] {
      for width in [1, 2, 4, .max] as [UInt32] {
        aim(1, offset, width)
        data = 1
        #expect(data == 1)
      }
    }
  }

  @Test func `any write to its data is one, and reading the interrupt status through it resets it`() {
    bench.function.writeConfiguration(7, at: 4, width: 2)
    bench.start()
    bench.function.raise(queue: 0)
    #expect(bench.interruptLine)
    aim(1, UInt32(FunctionLayout.interruptStatus), 1)
    #expect(data & 0xff == 1)
    #expect(!bench.interruptLine)
    #expect(data & 0xff == 0)
  }
}
