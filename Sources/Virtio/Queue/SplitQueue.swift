// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
package import Bits
import Synchronization

// The life of a request: the driver makes its chain available ─► the device takes it (`next`) ─► and either gives it
// back untouched (`putBack`) or says what it wrote (`complete`) ─► and shows that to the driver (`publish`) ─► and
// interrupts if the driver waits for it (`needsInterrupt`). Between `complete` and `publish` it can still change its
// mind (`withdraw`), as a network card must that runs out of buffers half-way through a frame.

/// The device's side of a split virtqueue (virtio 1.2, §2.7), in the memory of a guest that may write anything to it
/// at any time.
///
/// Invariant: the three parts lie in the guest's memory. What the driver wrote is read once, checked, and then used.
/// Its own indices the device keeps here, and never reads back.
package struct SplitQueue: Sendable {
  /// The guest's memory.
  package let memory: GuestMemory
  /// Descriptors in the table: a power of two.
  package let size: UInt16
  let descriptors: GuestWindow
  let available: GuestWindow
  let used: GuestWindow
  private let hasEventIndex: Bool
  let hasIndirect: Bool

  /// The index of the next chain to take.
  package private(set) var nextAvailable: UInt16
  /// Up to where chains are known to be available.
  private var availableEnd: UInt16
  /// The index of the next used element to write, and up to where the driver sees them.
  private var nextUsed: UInt16
  package private(set) var publishedUsed: UInt16
  /// Elements that were published since the driver was last considered for an interrupt; at most `ages`.
  private var unreported: UInt32
  /// More elements than an index can count: whatever the driver waits for is among them.
  private static var ages: UInt32 { 0x1_0000 }

  /// Takes a queue over where the last device, or an earlier life of this one, stopped.
  ///
  /// - Parameters:
  ///   - setup: what the driver asked for.
  ///   - next: the index of the next chain to take. A device that completes chains in their order needs none: it goes
  ///     on where the used ring ends, and takes again what was under way.
  package init(
    _ setup: QueueSetup, memory: GuestMemory, features: VirtioFeatures, next: UInt16? = nil
  ) throws(QueueError) {
    guard setup.size.nonzeroBitCount == 1, setup.size <= RingLayout.maximumSize else { throw .badSize }
    guard setup.descriptors.isAligned(to: RingLayout.descriptorAlignment),
      setup.available.isAligned(to: RingLayout.availableAlignment), setup.used.isAligned(to: RingLayout.usedAlignment)
    else { throw .misaligned }
    self.memory = memory
    size = setup.size
    do throws(GuestMemoryError) {
      descriptors = try memory.window(
        GuestAddress(setup.descriptors), count: UInt64(setup.size) * UInt64(RingLayout.descriptorSize))
      available = try memory.window(
        GuestAddress(setup.available),
        count: RingLayout.byteCount(setup.size, element: RingLayout.availableElement))
      used = try memory.window(
        GuestAddress(setup.used), count: RingLayout.byteCount(setup.size, element: RingLayout.usedElement))
    } catch { throw .ringOutsideMemory }
    hasEventIndex = features.contains(.ringEventIndex)
    hasIndirect = features.contains(.ringIndirect)
    nextUsed = used.loadAcquire(RingLayout.index)
    publishedUsed = nextUsed
    nextAvailable = next ?? nextUsed
    availableEnd = nextAvailable
    // Whoever had the queue before may have stopped just short of an interrupt.
    unreported = Self.ages
  }

  // MARK: - Taking

  /// Takes the next available chain.
  /// - Returns: Whether there was one.
  /// - Throws: What is wrong with it; `chain` then holds nothing of use.
  package mutating func next(into chain: inout DescriptorChain) throws(QueueError) -> Bool {
    if nextAvailable == availableEnd {
      let end = available.loadAcquire(RingLayout.index)
      guard end != nextAvailable else { return false }
      // At most `size` chains can be on their way (§2.7.13.3); an index that went back looks like one far ahead.
      guard end &- nextAvailable <= size, end &- publishedUsed <= size else { throw .availableIndexJumped }
      availableEnd = end
    }
    let head: UInt16 = available.read(
      RingLayout.elements + RingLayout.availableElement * Int(nextAvailable & (size - 1)))
    chain.begin(head: head)
    var walk = DescriptorWalk(descriptors, size: Int(size), from: head, hasIndirect: hasIndirect)
    try walk.collect(into: &chain, in: memory)
    nextAvailable &+= 1
    return true
  }

  /// Gives the chain that was taken last back, to be taken again; as often as chains were taken and not completed.
  package mutating func putBack() { nextAvailable &-= 1 }

  // MARK: - Giving back

  /// Says that the device is done with the chain of `head` and wrote its first `written` bytes; the driver sees it
  /// after `publish`.
  package mutating func complete(head: UInt16, written: UInt32) {
    used.write(
      UInt64(written) << 32 | UInt64(head),
      at: RingLayout.elements + RingLayout.usedElement * Int(nextUsed & (size - 1)))
    nextUsed &+= 1
  }

  /// Takes back what was completed and not published, and puts these chains back to be taken again; for devices that
  /// complete in order.
  package mutating func withdraw() {
    nextAvailable &-= nextUsed &- publishedUsed
    nextUsed = publishedUsed
  }

  /// Shows the driver all that was completed, at once.
  package mutating func publish() {
    guard nextUsed != publishedUsed else { return }
    // The elements are in memory before the index that announces them (§2.7.8.2).
    used.storeRelease(nextUsed, at: RingLayout.index)
    unreported = min(unreported + UInt32(nextUsed &- publishedUsed), Self.ages)
    publishedUsed = nextUsed
  }

  // MARK: - Interrupts and kicks

  /// Whether the driver is to be interrupted for what was published since this was last asked (§2.7.7.2).
  package mutating func needsInterrupt() -> Bool {
    guard unreported > 0 else { return false }
    let count = unreported
    unreported = 0
    // The driver writes what it waits for, then looks at the index: between our two accesses the same order must hold.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    guard hasEventIndex else {
      return available.loadAcquire(RingLayout.flags) & RingLayout.noInterrupt == 0
    }
    // The driver waits for the element at the index used_event: is that among the last `count`?
    let event = available.loadAcquire(RingLayout.elements + RingLayout.availableElement * Int(size))
    return UInt32(publishedUsed &- event &- 1) < count
  }

  /// Asks the driver to kick when it makes the next chain available (§2.7.10.1).
  /// - Returns: Whether one is available already, which may come without a kick.
  package mutating func enableKicks() -> Bool {
    if hasEventIndex {
      used.storeRelease(nextAvailable, at: RingLayout.elements + RingLayout.usedElement * Int(size))
    } else {
      used.storeRelease(0, at: RingLayout.flags)
    }
    // As in `needsInterrupt`, the other way round.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    return available.loadAcquire(RingLayout.index) != nextAvailable
  }

  /// Tells the driver that kicks are of no use now: the device looks by itself.
  ///
  /// With event indices there is nothing to write: the index of the last `enableKicks` lies behind.
  package mutating func disableKicks() {
    guard !hasEventIndex else { return }
    used.storeRelease(RingLayout.noNotify, at: RingLayout.flags)
  }
}
