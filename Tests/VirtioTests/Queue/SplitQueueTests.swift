// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Virtio

/// Setting a queue up (virtio 1.2, §2.7).
@Suite struct QueueSetupTests {
  private let driver = TestDriver(TestGuest())

  @Test(arguments: [1, 2, 256, 1024] as [UInt16])
  func `a queue of a power of two is taken`(size: UInt16) throws {
    var driver = driver
    driver.setup = QueueSetup(size: size, descriptors: 0x1_0000, available: 0x8000, used: 0xa000)
    #expect(try driver.queue().size == size)
  }

  @Test func `the largest queue of the specification is taken`() throws {
    var large = TestDriver(TestGuest(size: 0x10_0000))
    large.setup = QueueSetup(size: 32768, descriptors: 0, available: 0x8_0000, used: 0xa_0000)
    #expect(try large.queue().size == 32768)
  }

  @Test(arguments: [0, 3, 255, 257, 32769, 65535] as [UInt16])
  func `another size is refused`(size: UInt16) {
    var driver = driver
    driver.setup.size = size
    #expect(throws: QueueError.badSize) { try driver.queue() }
  }

  @Test(arguments: [(8, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 2), (0, 0, 1)] as [(UInt64, UInt64, UInt64)])
  func `a misaligned part is refused`(offsets: (UInt64, UInt64, UInt64)) {
    var driver = driver
    driver.setup.descriptors += offsets.0
    driver.setup.available += offsets.1
    driver.setup.used += offsets.2
    #expect(throws: QueueError.misaligned) { try driver.queue() }
  }

  @Test func `each part must lie in memory, to its last byte`() throws {
    let end = UInt64(driver.guest.size)
    var setup = QueueSetup(size: 8, descriptors: end - 128, available: end - 22, used: end - 72)
    func take() throws(QueueError) { _ = try SplitQueue(setup, memory: driver.guest.memory, features: .none) }
    try take()
    for wrong in [
      QueueSetup(size: 8, descriptors: end - 112, available: end - 22, used: end - 72),
      QueueSetup(size: 8, descriptors: end - 128, available: end - 20, used: end - 72),
      QueueSetup(size: 8, descriptors: end - 128, available: end - 22, used: end - 68),
      QueueSetup(size: 8, descriptors: ~15, available: end - 22, used: end - 72),
      QueueSetup(size: 8, descriptors: 0, available: ~1, used: 0),
      QueueSetup(size: 8, descriptors: 0, available: 0, used: 1 << 63),
    ] {
      setup = wrong
      #expect(throws: QueueError.ringOutsideMemory) { try take() }
    }
  }

  @Test func `a new server goes on where the used ring ends`() throws {
    driver.usedIndex = 0xfffe
    driver.availableIndex = 0xfffe
    driver.chain(3, [(0x8000, 16, false)])
    driver.offer(3)
    var queue = try driver.queue()
    var chain = DescriptorChain()
    #expect(try queue.next(into: &chain))
    #expect(chain.head == 3)
    queue.complete(head: 3, written: 0)
    queue.publish()
    #expect(driver.usedIndex == 0xffff)
    #expect(driver.used(0xfffe) == (3, 0))
  }

  @Test func `a server that completes out of order is told where to go on`() throws {
    driver.chain(0, [(0x8000, 1, false)])
    driver.chain(1, [(0x8000, 2, false)])
    driver.offer(0)
    driver.offer(1)
    var queue = try driver.queue(next: 1)
    var chain = DescriptorChain()
    #expect(try queue.next(into: &chain))
    #expect(chain.readableCount == 2)
    queue.complete(head: 1, written: 0)
    queue.publish()
    #expect(driver.usedIndex == 1)
  }
}

/// Taking chains and giving them back (§2.7.6, §2.7.8).
@Suite struct RingTests {
  private let driver = TestDriver(TestGuest())

  private func offer(_ count: Int, lengths first: Int = 1) {
    for head in 0..<count {
      driver.chain(head, [(0x8000, UInt32(first + head), false)])
      driver.offer(UInt16(head))
    }
  }

  @Test func `chains come in the order they were made available, then no more`() throws {
    var queue = try driver.queue()
    var chain = DescriptorChain()
    #expect(try !queue.next(into: &chain))
    offer(8)
    for length in 1...8 {
      #expect(try queue.next(into: &chain))
      #expect(chain.readableCount == length)
    }
    #expect(try !queue.next(into: &chain))
  }

  @Test func `the indices run past their end`() throws {
    driver.chain(5, [(0x8000, 4, true)])
    driver.usedIndex = 0xfff0
    driver.availableIndex = 0xfff0
    var queue = try driver.queue()
    var chain = DescriptorChain()
    for round in 0..<100 {
      driver.offer(5)
      #expect(try queue.next(into: &chain))
      queue.complete(head: chain.head, written: UInt32(round))
      queue.publish()
      #expect(driver.usedIndex == 0xfff1 &+ UInt16(round))
      #expect(driver.used(driver.usedIndex &- 1) == (5, UInt32(round)))
    }
  }

  @Test(arguments: [9, 100, 0x8000, 0xffff] as [UInt16])
  func `an available index that is further ahead than the queue is long, or went back, is refused`(index: UInt16) throws
  {
    var queue = try driver.queue()
    driver.availableIndex = index
    var chain = DescriptorChain()
    #expect(throws: QueueError.availableIndexJumped) { try queue.next(into: &chain) }
  }

  @Test func `what is under way counts as well`() throws {
    var queue = try driver.queue()
    var chain = DescriptorChain()
    offer(8)
    while try queue.next(into: &chain) {}
    driver.availableIndex = 9
    #expect(throws: QueueError.availableIndexJumped) { try queue.next(into: &chain) }
    queue.complete(head: 0, written: 0)
    queue.publish()
    #expect(try queue.next(into: &chain))
  }

  @Test(arguments: [8, 9, 0xffff] as [UInt16])
  func `a head outside the table is refused`(head: UInt16) throws {
    driver.offer(head)
    var queue = try driver.queue()
    var chain = DescriptorChain()
    #expect(throws: QueueError.indexOutOfRange) { try queue.next(into: &chain) }
  }

  @Test func `a chain that is put back comes again`() throws {
    var queue = try driver.queue()
    var chain = DescriptorChain()
    offer(3)
    #expect(try queue.next(into: &chain))
    queue.complete(head: chain.head, written: 0)
    #expect(try queue.next(into: &chain))
    #expect(try queue.next(into: &chain))
    queue.putBack()
    queue.putBack()
    #expect(try queue.next(into: &chain))
    #expect(chain.head == 1)
    #expect(queue.nextAvailable == 2)
  }

  @Test func `several completions appear at once`() throws {
    var queue = try driver.queue()
    var chain = DescriptorChain()
    offer(3)
    for _ in 0..<3 {
      #expect(try queue.next(into: &chain))
      queue.complete(head: chain.head, written: 7)
      #expect(driver.usedIndex == 0)
    }
    queue.publish()
    #expect(driver.usedIndex == 3)
    #expect(driver.used(2) == (2, 7))
  }

  @Test func `completions that are withdrawn were never seen, and their chains come again`() throws {
    var queue = try driver.queue()
    var chain = DescriptorChain()
    offer(4)
    #expect(try queue.next(into: &chain))
    queue.complete(head: chain.head, written: 1)
    queue.publish()
    for _ in 0..<2 {
      #expect(try queue.next(into: &chain))
      queue.complete(head: chain.head, written: 2)
    }
    queue.withdraw()
    queue.publish()
    #expect(driver.usedIndex == 1)
    #expect(try queue.next(into: &chain))
    #expect(chain.head == 1)
    queue.complete(head: chain.head, written: 3)
    queue.publish()
    #expect(driver.used(1) == (1, 3))
  }
}
