// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Virtio

/// A disk's function, as its driver and its server see it (virtio 1.2, §5.2).
@Suite struct BlockDeviceTests {
  private static let usual: VirtioFeatures =
    .version1 | .segmentSize | .segmentCount | .sectorSize | .flush | .topology | .writeCacheMode

  private static func description(_ features: VirtioFeatures = usual, capacity: UInt64 = 0x1234) -> DeviceDescription {
    var description = DeviceDescription()
    description.state = DeviceState.present.rawValue
    description.features = features.rawValue
    description.configurationSize = 60
    for index in 0..<64 { description.configuration[index] = UInt8(index) }
    for index in 0..<8 { description.configuration[index] = UInt8(truncatingIfNeeded: capacity >> (8 * index)) }
    return description
  }

  private static func bench(queues: Int = 1, features: VirtioFeatures = usual) -> FunctionBench {
    let bench = FunctionBench(.block(BlockDevice(queueCount: queues)))
    bench.function.describe(description(features))
    return bench
  }

  @Test func `it is a virtio 1.2 disk, with a queue or up to four`() {
    let bench = Self.bench(queues: 3)
    #expect(bench.configuration(0) == 0x1042_1af4)
    #expect(bench.configuration(8) >> 8 == 0x01_0000)
    #expect(bench[.queueCount] == 3)
    #expect(bench.read(FunctionLayout.device + 34, 2) == 3)
    #expect(Self.bench(queues: 0)[.queueCount] == 1)
    #expect(Self.bench(queues: 9)[.queueCount] == 4)
    #expect(bench.function.controlQueue == nil)
  }

  @Test func `the driver sees what the server describes`() {
    let bench = Self.bench()
    #expect(bench.structure(.device)?.count == 60)
    #expect(bench.read(FunctionLayout.device, 8) == 0x1234)
    #expect(bench.read(FunctionLayout.device + 20, 4) == 0x1716_1514)
    #expect(bench.read(FunctionLayout.device + 59, 1) == 59)
    #expect(bench.read(FunctionLayout.device + 60, 4) == 0)
    bench[.deviceFeatureSelect] = 0
    #expect(bench[.deviceFeature] == Self.usual.rawValue & 0xffff_ffff | 0x3000_0000)
  }

  @Test func `a server's claim to more than a disk can offer is not passed on`() {
    let bench = Self.bench(features: VirtioFeatures(rawValue: .max))
    bench[.deviceFeatureSelect] = 0
    #expect(bench[.deviceFeature] == 0x3000_6e66)  // no MQ with one queue
    bench[.deviceFeatureSelect] = 1
    #expect(bench[.deviceFeature] == 1)
    let several = Self.bench(queues: 2, features: .none)
    several[.deviceFeatureSelect] = 0
    #expect(several[.deviceFeature] == 0x3000_1000)
  }

  @Test func `of a disk that is missing, or not described yet, nothing is offered`() {
    let bench = FunctionBench(.block(BlockDevice(queueCount: 1)))
    #expect(bench.read(FunctionLayout.device, 8) == 0)
    var missing = Self.description()
    missing.state = DeviceState.missing.rawValue
    bench.function.describe(missing)
    #expect(bench.read(FunctionLayout.device, 8) == 0)
    bench[.deviceFeatureSelect] = 0
    #expect(bench[.deviceFeature] == 0x3000_0000)
  }

  @Test func `all queues are the server's, up to the kicks`() {
    let bench = Self.bench(queues: 4)
    bench.start(Self.usual, queues: 4)
    #expect(bench.takeEvents() == .setupChanged)
    #expect(bench.setup.isLive == 1 && bench.setup.queueCount == 4)
    #expect(bench.setup.queues[3] == FunctionBench.place(3))
    #expect(bench.function.serverPorts?.count == 8)
    bench.function.writePort(FunctionBench.ports + 6, width: 2, value: 3)
    #expect(bench.takeEvents() == .kick(3))
  }

  @Test func `the driver may choose when writes are safe, and the server hears of it`() {
    let bench = Self.bench()
    bench.start(Self.usual, queues: 1)
    _ = bench.takeEvents()
    #expect(bench.setup.hasWriteback == 1)
    bench.write(0, at: FunctionLayout.device + 32, 1)
    #expect(bench.takeEvents() == .setupChanged)
    #expect(bench.setup.hasWriteback == 0)
    #expect(bench.read(FunctionLayout.device + 32, 1) == 0)
    bench.write(0, at: FunctionLayout.device + 32, 1)
    #expect(bench.takeEvents().isEmpty, "nothing new")
    bench.status = .none
    #expect(bench.read(FunctionLayout.device + 32, 1) == 1, "a reset forgets it")
  }

  @Test func `nothing else of the configuration can be written, nor that without the feature`() {
    let bench = Self.bench()
    bench.start(.version1, queues: 1)
    _ = bench.takeEvents()
    for offset in 0..<64 { bench.write(0, at: FunctionLayout.device + offset, 1) }
    #expect(bench.takeEvents().isEmpty)
    #expect(bench.setup.hasWriteback == 1)
    #expect(bench.read(FunctionLayout.device, 8) == 0x1234)
  }

  @Test func `a change that the server tells interrupts the driver and shows as a new generation`() {
    let bench = Self.bench()
    bench.enableMessages()
    bench[.configurationVector] = 0
    bench.start(Self.usual, queues: 1)
    _ = bench.read(FunctionLayout.device, 8)
    let generation = bench[.generation]

    bench.function.describe(Self.description())
    #expect(bench.takeMessage() == nil, "nothing has changed")
    bench.function.describe(Self.description(capacity: 0x5000))

    #expect(bench.takeMessage() != nil)
    #expect(bench.read(FunctionLayout.device, 8) == 0x5000)
    #expect(bench[.generation] != generation)
  }
}
