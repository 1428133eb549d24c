// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// How a driver broke the rules of a split virtqueue (virtio 1.2, §2.7). The queue is of no use until it is reset.
package enum QueueError: Error, Equatable, Sendable {
  /// Not a power of two up to 32768.
  case badSize
  /// The descriptor table, the available or the used ring is not aligned as §2.7 wants.
  case misaligned
  /// A byte of a ring is not in the guest's memory.
  case ringOutsideMemory
  /// More is said to be available than the queue holds, or less than before.
  case availableIndexJumped
  /// A descriptor's number is not below the size of its table.
  case indexOutOfRange
  /// More descriptors than the table has: they go round in a circle.
  case chainTooLong
  /// More buffers than `DescriptorChain.capacity`, empty ones included.
  case tooManyBuffers
  /// An indirect descriptor although the feature was not accepted.
  case indirectNotNegotiated
  /// An indirect descriptor in an indirect table.
  case nestedIndirect
  /// An indirect descriptor that has a next one.
  case indirectWithNext
  /// An indirect table that is empty, or whose length is no multiple of a descriptor's.
  case badIndirectTable
  /// A byte of an indirect table is not in the guest's memory.
  case tableOutsideMemory
  /// A buffer to read after one to write.
  case readableAfterWritable
  /// A byte of a buffer is not in the guest's memory.
  case bufferOutsideMemory
  /// All buffers together have more than 2³² bytes.
  case totalTooLong
  /// Fewer bytes in the chain than what is to be read or written.
  case bufferTooSmall
}

extension QueueError {
  /// What is wrong, for people.
  package var sentence: StaticString {
    switch self {
    case .badSize: "the queue's size is no power of two up to 32768"
    case .misaligned: "a part of the queue is not aligned"
    case .ringOutsideMemory: "a part of the queue is outside memory"
    case .availableIndexJumped: "the available index jumped"
    case .indexOutOfRange: "a descriptor's number is too large"
    case .chainTooLong: "a descriptor chain goes round in a circle"
    case .tooManyBuffers: "a descriptor chain has too many buffers"
    case .indirectNotNegotiated: "an indirect descriptor that was not agreed on"
    case .nestedIndirect: "an indirect descriptor inside an indirect table"
    case .indirectWithNext: "an indirect descriptor with a next one"
    case .badIndirectTable: "an indirect table of a wrong length"
    case .tableOutsideMemory: "an indirect table outside memory"
    case .readableAfterWritable: "a buffer to read follows one to write"
    case .bufferOutsideMemory: "a buffer outside memory"
    case .totalTooLong: "a descriptor chain of more than 4 GiB"
    case .bufferTooSmall: "a descriptor chain is too short"
    }
  }
}
