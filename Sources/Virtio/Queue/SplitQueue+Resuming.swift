// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What a device needs that completes chains in any order, and goes on where an earlier life of it stopped: the heads
/// that were taken and not completed it must know itself.
extension SplitQueue {
  /// Takes a chain once more that was taken before, by its head.
  package func take(head: UInt16, into chain: inout DescriptorChain) throws(QueueError) {
    chain.begin(head: head)
    var walk = DescriptorWalk(descriptors, size: Int(size), from: head, hasIndirect: hasIndirect)
    try walk.collect(into: &chain, in: memory)
  }

  /// The head of the chain that `next` would take, whatever it is worth; `nil` if there is none.
  package var nextHead: UInt16? {
    guard available.loadAcquire(RingLayout.index) != nextAvailable else { return nil }
    return available.read(RingLayout.elements + RingLayout.availableElement * Int(nextAvailable & (size - 1)))
  }

  /// The head in the used element of an index, which the driver may have written over.
  package func usedHead(at index: UInt16) -> UInt16 {
    used.read(RingLayout.elements + RingLayout.usedElement * Int(index & (size - 1)))
  }
}
