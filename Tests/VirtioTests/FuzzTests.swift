// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import TestSupport
import Testing

@testable import Virtio

extension SplitMix64 {
  /// A number below `limit`.
  fileprivate mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

  /// A number that is small, or at an edge, or anything.
  fileprivate mutating func hostile() -> UInt64 {
    switch below(4) {
    case 0: next() % 64
    case 1: [0x3_fff0, 0x4_0000, 1 << 32, .max, 1 << 63, 0x1000][below(6)] &+ next() % 33 &- 16
    case 2: next() % 0x4_0000
    default: next() >> (next() % 64)
    }
  }
}

/// Drivers that write anything anywhere at any time: nothing traps, nothing is touched that is not their memory, and
/// what a device is given to work with is what it was promised.
@Suite struct FuzzTests {
  @Test func `no ring leads outside memory or into an endless loop`() throws {
    var random = SplitMix64(seed: 0x51)
    for round in 0..<fuzzRounds(120) {
      let guest = TestGuest(size: 0x1_0000)
      var driver = TestDriver(guest, size: UInt16(1) << random.below(7))
      if round % 4 == 0 { driver.setup.descriptors = 0xf000 &- 16 * (random.next() % 64) }
      guard let queue = try? driver.queue(.ringIndirect) else { continue }
      let device = TestDevice(queue)
      for _ in 0..<400 { scribble(driver, device, &random) }
      #expect(guest.isUnharmed)
    }
  }

  private func scribble(_ driver: TestDriver, _ device: TestDevice, _ random: inout SplitMix64) {
    let size = Int(driver.setup.size)
    switch random.below(12) {
    case 0...3: driver.describe(random.below(size), descriptor(for: driver, &random))
    case 4, 5: driver.offer(UInt16(random.below(size)))
    case 6: if random.below(8) == 0 { driver.offer(UInt16(truncatingIfNeeded: random.hostile())) }
    case 7: if random.below(16) == 0 { driver.availableIndex = UInt16(truncatingIfNeeded: random.hostile()) }
    case 8: driver.guest[0x4000 + random.below(0xb000)] = random.next()
    case 9:
      driver.usedEvent = UInt16(truncatingIfNeeded: random.next())
      _ = device.needsInterrupt()
      _ = device.enableKicks()
      device.queue.disableKicks()
    default:
      do { try use(device, driver.guest, &random) } catch {
        // The next device begins with an empty queue, but with the same descriptors.
        driver.availableIndex = driver.usedIndex
        if let queue = try? driver.queue([.none, .ringIndirect, .ringIndirect][random.below(3)]) {
          device.queue = queue
        }
      }
    }
  }

  /// A descriptor that is right more often than not; an indirect one names a part of the table that it is in.
  private func descriptor(for driver: TestDriver, _ random: inout SplitMix64) -> TestDescriptor {
    let size = Int(driver.setup.size)
    let isHostile = random.below(8) == 0
    let flags = isHostile ? UInt16(random.below(8)) : [0, 0, 1, 2, 2, 3, 3, 4][random.below(8)]
    var descriptor = TestDescriptor(
      address: isHostile ? random.hostile() : 0x4000 + random.next() % 0xb000,
      length: UInt32(truncatingIfNeeded: isHostile ? random.hostile() : random.next() % 512), flags: flags,
      next: UInt16(random.below(size + (isHostile ? 2 : 0))))
    if flags == TestDescriptor.indirect, !isHostile {
      let first = random.below(size)
      descriptor.address = driver.setup.descriptors &+ UInt64(16 * first)
      descriptor.length = UInt32(16 * (size - first))
    }
    return descriptor
  }

  /// Takes a chain and does with it what devices do.
  private func use(_ device: TestDevice, _ guest: TestGuest, _ random: inout SplitMix64) throws(QueueError) {
    guard try device.next() else { return }
    check(device.chain, guest)
    do {
      var from = device.chain.readable(in: guest.memory)
      var to = device.chain.writable(in: guest.memory)
      try ChainCursor.copy(random.below(4096), from: &from, to: &to)
      try from.skip(random.below(64))
      try to.write(random.next())
      _ = try from.read(as: UInt32.self)
    } catch {}
    switch random.below(4) {
    case 0: device.queue.putBack()
    case 1:
      device.queue.complete(head: device.chain.head, written: 0)
      device.queue.withdraw()
    default:
      device.queue.complete(head: device.chain.head, written: UInt32(min(device.chain.writableCount, 1 << 30)))
      device.queue.publish()
    }
  }

  /// A chain that was taken is as its type says.
  private func check(_ chain: borrowing DescriptorChain, _ guest: TestGuest) {
    var counts = (readable: 0, writable: 0)
    for index in 0..<chain.segmentCount {
      let segment = chain[index]
      #expect(segment.length > 0 && guest.memory.contains(segment.address, count: UInt64(segment.length)))
      #expect(segment.isWritable || counts.writable == 0)
      if segment.isWritable { counts.writable += Int(segment.length) } else { counts.readable += Int(segment.length) }
    }
    #expect(counts == (chain.readableCount, chain.writableCount))
  }

  @Test func `no sequence of accesses to a function traps or breaks its promises`() {
    var random = SplitMix64(seed: 0x52)
    let guest = TestGuest()
    var chain = DescriptorChain()
    for round in 0..<fuzzRounds(40) {
      let bench = FunctionBench(
        NetworkCard(address: FunctionBench.address, offersOffload: round % 2 == 0), isDecoding: round % 8 != 0)
      if round % 3 != 0 { bench.start() }
      for _ in 0..<500 {
        access(bench, &random)
        if random.below(8) == 0 { guest[random.below(0x3_fff8)] = random.hostile() }
        if random.below(8) == 0 { bench.function.serveControl(in: guest.memory, with: &chain) }
        check(bench, &random)
      }
      #expect(guest.isUnharmed)
    }
  }

  private func access(_ bench: FunctionBench, _ random: inout SplitMix64) {
    let width = 1 << random.below(4)
    switch random.below(8) {
    case 0:
      // The ranges mostly stay where they are, or there would be little left to reach.
      let offset = UInt8(random.below(20) == 0 ? random.below(256) : 0x40 + random.below(0x80))
      bench.function.writeConfiguration(UInt32(truncatingIfNeeded: random.hostile()), at: offset, width: min(width, 4))
    case 1: _ = bench.configuration(UInt8(random.below(256)), min(width, 4))
    case 2: bench.write(random.hostile(), at: random.below(60), width)
    case 3: bench.write(random.hostile(), at: random.below(4096), width)
    case 4: _ = bench.read(random.below(4096), width)
    case 5: bench.function.writePort(FunctionBench.ports &+ UInt16(random.below(20)), width: width, value: 0)
    case 6: bench[.status] = random.below(3) == 0 ? 0 : 0xf
    default:
      bench.function.writeConfiguration(7, at: 4, width: 2)
      bench.negotiate(random.below(2) == 0 ? FunctionBench.usual : VirtioFeatures(rawValue: random.next()))
      if random.below(2) == 0 { bench.enable(queue: random.below(4), FunctionBench.place(random.below(3))) }
    }
  }

  private func check(_ bench: FunctionBench, _ random: inout SplitMix64) {
    let setup = bench.setup
    #expect((setup.isLive != 0) == bench.isLive)
    #expect(!bench.isLive || bench.function.isHandedOver)
    #expect(!bench.isResetting || setup.isLive == 0)
    #expect(!bench.isResetting || bench[.status] != 0 || bench.memoryBase != FunctionBench.memory)
    #expect(bench.offeredFeatures.contains(VirtioFeatures(rawValue: setup.features)))
    for index in 0..<3 {
      #expect(
        bench.function.queues[index].setup.size.nonzeroBitCount == 1 && bench.function.queues[index].setup.size <= 256)
    }
    #expect(setup.filter.count <= ReceiveFilter.capacity)
    switch random.below(6) {
    case 0: bench.function.raise(queue: random.below(5) - 1)
    case 1: bench.function.needsReset()
    case 2: bench.function.setLink(isUp: random.below(2) == 0)
    case 3: bench.function.resetFinished()
    case 4: _ = bench.takeEvents()
    default: while bench.takeMessage() != nil {}
    }
  }

  @Test func `no command of the control queue traps`() throws {
    var random = SplitMix64(seed: 0x53)
    let bench = FunctionBench()
    let guest = TestGuest()
    let driver = TestDriver(guest, size: 256, at: FunctionBench.place(2).descriptors)
    bench.start()
    var chain = DescriptorChain()
    for _ in 0..<fuzzRounds(5000) {
      let count = random.below(300)
      var command = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      for (index, byte) in [random.below(2), random.below(3), random.below(40), 0, 0, 0].enumerated()
      where index < count && random.below(16) != 0 { command[index] = UInt8(byte) }
      guest.store(command, at: 0x3_0000)
      driver.chain(0, [(0x3_0000, UInt32(count), false), (0x3_8000, 1, true)])
      driver.offer()
      bench.function.serveControl(in: guest.memory, with: &chain)
      #expect((guest[0x3_8000] as UInt8) <= 1 && bench.setup.filter.count <= ReceiveFilter.capacity)
    }
    #expect(!bench.status.contains(.needsReset) && guest.isUnharmed)
    #expect(driver.usedIndex == UInt16(truncatingIfNeeded: fuzzRounds(5000)))
  }
}
