// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// A descriptor as it was read, once, from the guest's memory (virtio 1.2, §2.7.5).
private struct Descriptor {
  let address: GuestAddress
  let length: UInt32
  let flags: DescriptorFlags
  let next: UInt16

  init(_ index: Int, of table: GuestWindow) {
    address = GuestAddress(table.read(index * RingLayout.descriptorSize))
    let rest: UInt64 = table.read(index * RingLayout.descriptorSize + 8)
    length = UInt32(truncatingIfNeeded: rest)
    flags = DescriptorFlags(rawValue: UInt16(truncatingIfNeeded: rest >> 32))
    next = UInt16(truncatingIfNeeded: rest >> 48)
  }
}

/// The way along a chain: through the queue's table, and from there, at most once, into an indirect one.
///
/// A walk ends: it visits no more descriptors of a table than the table has.
struct DescriptorWalk {
  private var table: GuestWindow
  /// Descriptors of the table, and how many of them may still be visited.
  private var size: Int
  private var budget: Int
  private var index: Int
  /// Whether the table may hold an indirect descriptor, and whether it is one.
  private let hasIndirect: Bool
  private var isIndirect = false
  /// Buffers that were visited, empty ones too: a table of any length is no reason to work without end.
  private var visited = 0

  init(_ table: GuestWindow, size: Int, from head: UInt16, hasIndirect: Bool) {
    self.table = table
    self.size = size
    budget = size
    index = Int(head)
    self.hasIndirect = hasIndirect
  }

  /// Adds all buffers to `chain`.
  mutating func collect(into chain: inout DescriptorChain, in memory: GuestMemory) throws(QueueError) {
    while true {
      guard index < size else { throw .indexOutOfRange }
      guard budget > 0 else { throw .chainTooLong }
      budget -= 1
      let descriptor = Descriptor(index, of: table)
      if descriptor.flags.contains(.indirect) {
        try enter(descriptor, in: memory)
        continue
      }
      visited += 1
      guard visited <= DescriptorChain.capacity else { throw .tooManyBuffers }
      guard descriptor.length == 0 || memory.contains(descriptor.address, count: UInt64(descriptor.length)) else {
        throw .bufferOutsideMemory
      }
      try chain.append(
        ChainSegment(
          address: descriptor.address, length: descriptor.length,
          isWritable: descriptor.flags.contains(.write)))
      guard descriptor.flags.contains(.next) else { return }
      index = Int(descriptor.next)
    }
  }

  /// Goes on in the table that `descriptor` names (§2.7.5.3); its write flag means nothing (§2.7.5.3.2).
  private mutating func enter(_ descriptor: Descriptor, in memory: GuestMemory) throws(QueueError) {
    guard hasIndirect else { throw .indirectNotNegotiated }
    guard !isIndirect else { throw .nestedIndirect }
    guard !descriptor.flags.contains(.next) else { throw .indirectWithNext }
    guard descriptor.length > 0, descriptor.length.isAligned(to: UInt32(RingLayout.descriptorSize)) else {
      throw .badIndirectTable
    }
    do throws(GuestMemoryError) {
      table = try memory.window(descriptor.address, count: UInt64(descriptor.length))
    } catch { throw .tableOutsideMemory }
    size = Int(descriptor.length) / RingLayout.descriptorSize
    budget = size
    index = 0
    isIndirect = true
  }
}
