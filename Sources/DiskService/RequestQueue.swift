// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Virtio

/// A queue of a block device, with the journal that lets the server's next life go on with it.
struct RequestQueue {
  private(set) var ring: SplitQueue
  private let journal: RequestJournal
  /// The first head that was not yet looked at for a chain of an earlier life; `nil` once all were.
  private var resumption: Int?
  /// The heads that were answered since answers were last published: bit n % 64 of word n / 64.
  private var answered = InlineArray<4, UInt64>(repeating: 0)

  /// How a queue is taken over.
  enum Start {
    /// From where the used ring ends: nothing was taken and not answered.
    case fresh
    /// From where the server's last life stopped.
    case resumed
  }

  init(
    _ setup: QueueSetup, memory: GuestMemory, features: VirtioFeatures, journal: RequestJournal, _ start: Start
  ) throws(QueueError) {
    guard Int(setup.size) <= RequestJournal.capacity else { throw .badSize }
    self.journal = journal
    switch start {
    case .fresh:
      ring = try SplitQueue(setup, memory: memory, features: features)
      journal.clear()
      journal.next = ring.nextAvailable
      journal.published = ring.publishedUsed
    case .resumed:
      ring = try SplitQueue(setup, memory: memory, features: features, next: journal.next)
      settle()
      resumption = 0
    }
  }

  /// Brings the journal to where an earlier life would have brought it, had it lived a moment longer.
  private func settle() {
    var index = journal.published
    while index != ring.publishedUsed {
      let head = ring.usedHead(at: index)
      if head < ring.size { journal.close(Int(head)) }
      index &+= 1
    }
    journal.published = ring.publishedUsed
    if let head = ring.nextHead, head < ring.size { journal.close(Int(head)) }
  }

  /// Where a chain came from.
  enum Source {
    case nowhere
    /// The driver made it available.
    case driver
    /// An earlier life of the server had taken it.
    case earlierLife
  }

  /// Takes the next chain.
  mutating func next(into chain: inout DescriptorChain) throws(QueueError) -> Source {
    while let head = resumption {
      resumption = head + 1 < Int(ring.size) ? head + 1 : nil
      guard journal.isOpen(head) else { continue }
      try ring.take(head: UInt16(head), into: &chain)
      return .earlierLife
    }
    guard try ring.next(into: &chain) else { return .nowhere }
    journal.open(Int(chain.head))
    journal.next = ring.nextAvailable
    return .driver
  }

  /// Answers the chain of `head`; the driver sees it after `publish`.
  mutating func answer(_ head: UInt16, written: UInt32) {
    ring.complete(head: head, written: written)
    answered[Int(head) / 64 & 3] |= 1 << UInt64(head % 64)
  }

  /// Shows the driver all answers.
  mutating func publish() {
    guard answered[0] | answered[1] | answered[2] | answered[3] != 0 else { return }
    ring.publish()
    for word in 0..<4 {
      while answered[word] != 0 {
        journal.close(64 * word + answered[word].trailingZeroBitCount)
        answered[word] &= answered[word] &- 1
      }
    }
    journal.published = ring.publishedUsed
  }

  mutating func needsInterrupt() -> Bool { ring.needsInterrupt() }

  /// Asks for a kick.
  /// - Returns: Whether there is something to take already.
  mutating func enableKicks() -> Bool {
    let hasMore = ring.enableKicks()
    return hasMore || resumption != nil
  }
}
