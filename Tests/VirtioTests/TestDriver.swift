// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI

@testable import Virtio

/// A descriptor as a driver writes it.
struct TestDescriptor {
  var address: UInt64
  var length: UInt32
  var flags: UInt16 = 0
  var next: UInt16 = 0

  static let next: UInt16 = 1
  static let write: UInt16 = 2
  static let indirect: UInt16 = 4
}

/// The driver's side of a queue, which does what it is told, right or wrong.
struct TestDriver {
  let guest: TestGuest
  var setup: QueueSetup

  init(_ guest: TestGuest, size: UInt16 = 8, at address: UInt64 = 0x1000) {
    self.guest = guest
    setup = QueueSetup(
      size: size, isEnabled: true, descriptors: address, available: address + 0x1000, used: address + 0x2000)
  }

  func queue(_ features: VirtioFeatures = .none, next: UInt16? = nil) throws(QueueError) -> SplitQueue {
    try SplitQueue(setup, memory: guest.memory, features: features, next: next)
  }

  /// Writes descriptor `index` of the queue's table, or of the table at `table`.
  func describe(_ index: Int, _ descriptor: TestDescriptor, in table: UInt64? = nil) {
    let place = Int(table ?? setup.descriptors) + 16 * index
    guest[place] = descriptor.address
    guest[place + 8] = descriptor.length
    guest[place + 12] = descriptor.flags
    guest[place + 14] = descriptor.next
  }

  /// Makes a chain of `buffers` from descriptor `head` on, without making it available.
  func chain(_ head: Int = 0, _ buffers: [(address: UInt64, length: UInt32, isWritable: Bool)]) {
    for (index, buffer) in buffers.enumerated() {
      let isLast = index == buffers.count - 1
      describe(
        head + index,
        TestDescriptor(
          address: buffer.address, length: buffer.length,
          flags: (isLast ? 0 : TestDescriptor.next) | (buffer.isWritable ? TestDescriptor.write : 0),
          next: isLast ? 0 : UInt16(head + index + 1)))
    }
  }

  /// Makes the chain of `head` available.
  func offer(_ head: UInt16 = 0) {
    guest[Int(setup.available) + 4 + 2 * Int(availableIndex & (setup.size - 1))] = head
    availableIndex &+= 1
  }

  var availableFlags: UInt16 {
    get { guest[Int(setup.available)] }
    nonmutating set { guest[Int(setup.available)] = newValue }
  }
  var availableIndex: UInt16 {
    get { guest[Int(setup.available) + 2] }
    nonmutating set { guest[Int(setup.available) + 2] = newValue }
  }
  var usedEvent: UInt16 {
    get { guest[Int(setup.available) + 4 + 2 * Int(setup.size)] }
    nonmutating set { guest[Int(setup.available) + 4 + 2 * Int(setup.size)] = newValue }
  }
  var usedFlags: UInt16 { guest[Int(setup.used)] }
  var usedIndex: UInt16 {
    get { guest[Int(setup.used) + 2] }
    nonmutating set { guest[Int(setup.used) + 2] = newValue }
  }
  var availableEvent: UInt16 { guest[Int(setup.used) + 4 + 8 * Int(setup.size)] }

  /// The used element that `index` stands for.
  func used(_ index: UInt16) -> (head: UInt32, written: UInt32) {
    let place = Int(setup.used) + 4 + 8 * Int(index & (setup.size - 1))
    return (guest[place], guest[place + 4])
  }
}

/// The device's side of a queue, by reference, for expectations.
final class TestDevice {
  var queue: SplitQueue
  var chain = DescriptorChain()

  init(_ queue: SplitQueue) { self.queue = queue }

  /// Takes the next chain.
  func next() throws(QueueError) -> Bool { try queue.next(into: &chain) }

  /// Completes `count` chains, of whatever head, and publishes them.
  func complete(_ count: Int) {
    for _ in 0..<count { queue.complete(head: 0, written: 0) }
    queue.publish()
  }

  func needsInterrupt() -> Bool { queue.needsInterrupt() }
  func enableKicks() -> Bool { queue.enableKicks() }
}
