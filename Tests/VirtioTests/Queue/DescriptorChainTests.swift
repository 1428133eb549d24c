// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Virtio

/// A queue with one chain, taken.
private final class Taken {
  var chain = DescriptorChain()

  init(_ driver: TestDriver, head: UInt16 = 0, _ features: VirtioFeatures = .ringIndirect) throws(QueueError) {
    driver.offer(head)
    var queue = try driver.queue(features)
    _ = try queue.next(into: &chain)
  }
}

/// Chains in the queue's own table (virtio 1.2, §2.7.4 and §2.7.5).
@Suite struct DescriptorChainTests {
  private let driver = TestDriver(TestGuest())

  @Test func `a chain is its buffers in order, to read and then to write`() throws {
    driver.chain(2, [(0x8000, 12, false), (0x9000, 1500, false), (0xa000, 1, true)])
    let taken = try Taken(driver, head: 2)
    #expect(taken.chain.head == 2)
    #expect(taken.chain.segmentCount == 3)
    #expect(taken.chain.readableCount == 1512)
    #expect(taken.chain.writableCount == 1)
    #expect(taken.chain[1] == ChainSegment(address: GuestAddress(0x9000), length: 1500, isWritable: false))
    #expect(taken.chain[2] == ChainSegment(address: GuestAddress(0xa000), length: 1, isWritable: true))
  }

  @Test func `descriptors are chained in any order`() throws {
    driver.describe(7, TestDescriptor(address: 0x8000, length: 1, flags: TestDescriptor.next, next: 0))
    driver.describe(0, TestDescriptor(address: 0x8001, length: 2, flags: TestDescriptor.next, next: 3))
    driver.describe(3, TestDescriptor(address: 0x8003, length: 3, next: 3))
    let taken = try Taken(driver, head: 7)
    #expect(taken.chain.readableCount == 6)
    #expect(taken.chain[2].address == GuestAddress(0x8003))
  }

  @Test func `a chain that is taken later has nothing of the one before`() throws {
    driver.chain(0, [(0x8000, 100, false), (0x9000, 50, true)])
    driver.chain(4, [(0xa000, 7, true)])
    driver.offer(0)
    driver.offer(4)
    var queue = try driver.queue()
    var chain = DescriptorChain()
    _ = try queue.next(into: &chain)
    _ = try queue.next(into: &chain)
    #expect(chain.head == 4)
    #expect((chain.segmentCount, chain.readableCount, chain.writableCount) == (1, 0, 7))
    #expect(chain[0] == ChainSegment(address: GuestAddress(0xa000), length: 7, isWritable: true))
  }

  @Test func `buffers without a byte are left out, wherever they are`() throws {
    driver.chain(0, [(.max, 0, false), (0x8000, 4, false), (1 << 50, 0, true)])
    let taken = try Taken(driver)
    #expect((taken.chain.segmentCount, taken.chain.readableCount, taken.chain.writableCount) == (1, 4, 0))
  }

  @Test func `a buffer to read after one to write is refused, even an empty one`() {
    driver.chain(0, [(0x8000, 4, false), (0x8000, 4, true), (0x8000, 4, false)])
    #expect(throws: QueueError.readableAfterWritable) { _ = try Taken(driver) }
    driver.chain(0, [(0x8000, 4, true), (0x8000, 0, false)])
    #expect(throws: QueueError.readableAfterWritable) { _ = try Taken(driver) }
  }

  @Test(arguments: [8, 0xffff] as [UInt16])
  func `a next descriptor outside the table is refused`(next: UInt16) {
    driver.describe(0, TestDescriptor(address: 0x8000, length: 1, flags: TestDescriptor.next, next: next))
    #expect(throws: QueueError.indexOutOfRange) { _ = try Taken(driver) }
  }

  @Test(arguments: [0, 5] as [UInt16])
  func `a chain that goes round in a circle is refused`(next: UInt16) {
    for index in 0..<8 {
      driver.describe(
        index,
        TestDescriptor(
          address: 0x8000, length: index.isMultiple(of: 2) ? 0 : 1, flags: TestDescriptor.next,
          next: index == 7 ? next : UInt16(index + 1)))
    }
    #expect(throws: QueueError.chainTooLong) { _ = try Taken(driver) }
  }

  @Test func `a chain of all descriptors is taken`() throws {
    driver.chain(0, Array(repeating: (0x8000, 1, true), count: 8))
    #expect(try Taken(driver).chain.segmentCount == 8)
  }

  @Test(arguments: [(0x3_ffff, 2), (0x4_0000, 1), (.max, 1), (.max, .max), (0, .max)] as [(UInt64, UInt32)])
  func `a buffer with a byte outside memory is refused`(address: UInt64, length: UInt32) {
    driver.chain(0, [(0x8000, 4, false), (address, length, true)])
    #expect(throws: QueueError.bufferOutsideMemory) { _ = try Taken(driver) }
  }

  @Test func `the last byte of memory can be used`() throws {
    driver.chain(0, [(0x3_ffff, 1, true)])
    #expect(try Taken(driver).chain.writableCount == 1)
  }

  @Test func `more than 256 buffers are refused, whatever the queue's size`() throws {
    let large = TestDriver(TestGuest(), size: 512, at: 0)
    var apart = large
    apart.setup.descriptors = 0x4000
    apart.chain(0, Array(repeating: (0x8000, 1, false), count: 256))
    #expect(try Taken(apart).chain.segmentCount == 256)
    let again = TestDriver(TestGuest(), size: 512, at: 0)
    var other = again
    other.setup.descriptors = 0x4000
    other.chain(0, Array(repeating: (0x8000, 1, false), count: 257))
    #expect(throws: QueueError.tooManyBuffers) { _ = try Taken(other) }
  }

  @Test func `empty buffers count, so that no chain is worked on without end`() {
    var driver = TestDriver(TestGuest(), size: 512, at: 0)
    driver.setup.descriptors = 0x4000
    driver.chain(0, Array(repeating: (0x8000, 0, false), count: 257))
    #expect(throws: QueueError.tooManyBuffers) { _ = try Taken(driver) }
  }

  @Test func `unknown flags mean nothing`() throws {
    driver.describe(0, TestDescriptor(address: 0x8000, length: 1, flags: 0xfff8 | TestDescriptor.write))
    #expect(try Taken(driver).chain.writableCount == 1)
  }
}

/// A chain's total length (§2.7.5.2), with memory that is only claimed and never touched.
@Suite struct TotalLengthTests {
  private func total(_ lengths: [UInt32]) throws(QueueError) -> Int {
    var chain = DescriptorChain()
    chain.begin(head: 0)
    for length in lengths {
      try chain.append(ChainSegment(address: GuestAddress(0), length: length, isWritable: false))
    }
    return chain.readableCount
  }

  @Test func `4 GiB are allowed, a byte more is not`() throws {
    #expect(try total([.max, 1]) == 1 << 32)
    #expect(throws: QueueError.totalTooLong) { try total([.max, 2]) }
    #expect(throws: QueueError.totalTooLong) { try total([.max, 1, 1]) }
  }
}

/// Tables of descriptors that a descriptor names (§2.7.5.3).
@Suite struct IndirectTests {
  private let driver = TestDriver(TestGuest())
  private let table: UInt64 = 0x6008  // has no alignment to keep

  private func enter(length: UInt32, flags: UInt16 = 0, at index: Int = 0) {
    driver.describe(index, TestDescriptor(address: table, length: length, flags: TestDescriptor.indirect | flags))
  }

  private func fill(_ count: Int) {
    for index in 0..<count {
      driver.describe(
        index,
        TestDescriptor(
          address: 0x8000 + UInt64(index), length: 1, flags: index == count - 1 ? 0 : TestDescriptor.next,
          next: UInt16(index + 1)), in: table)
    }
  }

  @Test func `a table's chain is taken, longer than the queue`() throws {
    enter(length: 16 * 20)
    fill(20)
    let taken = try Taken(driver)
    #expect(taken.chain.segmentCount == 20)
    #expect(taken.chain[19].address == GuestAddress(0x8013))
  }

  @Test func `descriptors may come before the one that names the table`() throws {
    driver.describe(0, TestDescriptor(address: 0x9000, length: 8, flags: TestDescriptor.next, next: 5))
    enter(length: 32, at: 5)
    fill(2)
    let taken = try Taken(driver)
    #expect(taken.chain.segmentCount == 3)
    #expect(taken.chain.readableCount == 10)
  }

  @Test func `the write flag of the one that names the table means nothing`() throws {
    enter(length: 16, flags: TestDescriptor.write)
    fill(1)
    #expect(try Taken(driver).chain.readableCount == 1)
  }

  @Test func `a table that was not agreed on is refused`() {
    enter(length: 16)
    fill(1)
    #expect(throws: QueueError.indirectNotNegotiated) { _ = try Taken(driver, .ringEventIndex) }
  }

  @Test func `a table in a table is refused`() {
    enter(length: 32)
    driver.describe(0, TestDescriptor(address: table, length: 32, flags: TestDescriptor.indirect), in: table)
    #expect(throws: QueueError.nestedIndirect) { _ = try Taken(driver) }
  }

  @Test func `a descriptor that names a table and a next one is refused`() {
    enter(length: 16, flags: TestDescriptor.next)
    fill(1)
    #expect(throws: QueueError.indirectWithNext) { _ = try Taken(driver) }
  }

  @Test(arguments: [0, 8, 17, .max] as [UInt32])
  func `a table of a length that is no multiple of 16 is refused`(length: UInt32) {
    enter(length: length)
    fill(1)
    #expect(throws: QueueError.badIndirectTable) { _ = try Taken(driver) }
  }

  @Test(arguments: [(0x3_fff0, 32), (1 << 40, 16), (~0xf, 16), (0x8000, 0xffff_fff0)] as [(UInt64, UInt32)])
  func `a table with a byte outside memory is refused`(address: UInt64, length: UInt32) {
    driver.describe(0, TestDescriptor(address: address, length: length, flags: TestDescriptor.indirect))
    #expect(throws: QueueError.tableOutsideMemory) { _ = try Taken(driver) }
  }

  @Test func `indices count within the table`() {
    enter(length: 32)
    driver.describe(0, TestDescriptor(address: 0x8000, length: 1, flags: TestDescriptor.next, next: 2), in: table)
    #expect(throws: QueueError.indexOutOfRange) { _ = try Taken(driver) }
  }

  @Test func `a circle in a table is refused`() {
    enter(length: 32)
    driver.describe(0, TestDescriptor(address: 0x8000, length: 1, flags: TestDescriptor.next, next: 1), in: table)
    driver.describe(1, TestDescriptor(address: 0x8000, length: 1, flags: TestDescriptor.next, next: 0), in: table)
    #expect(throws: QueueError.chainTooLong) { _ = try Taken(driver) }
  }

  @Test func `a table of more than 256 buffers is refused`() {
    enter(length: 16 * 300)
    fill(300)
    #expect(throws: QueueError.tooManyBuffers) { _ = try Taken(driver) }
  }
}
