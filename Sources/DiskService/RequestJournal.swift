// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Synchronization

// What a disk server must know of a queue that its next life cannot find in the guest's memory: which chains it has
// taken. It is written in an order that leaves no moment in which a request could be lost or answered twice:
//
//   taking    the head is opened, then `next` is moved on
//   answering the used ring is published, then the heads in it are closed, then `published` is moved on
//
// So whoever finds the journal closes what lies between `published` and the used ring's index, and closes the head at
// `next` if it is open, since that will be taken again from there. What is open then was taken and not answered.

/// The journals of all queues of a server.
@safe
struct Journals {
  private let base: UnsafeMutableRawPointer

  /// - Precondition: `base` points to `DiskConfiguration.stateSize` bytes, mapped for as long as this value is used,
  ///   page-aligned and zero before their first use.
  init(unsafeBase base: UnsafeMutableRawPointer) {
    // SAFETY: the bytes are as the caller says.
    unsafe self.base = base
  }

  /// The journal of a client's queue.
  func journal(client: Int, queue: Int) -> RequestJournal {
    let number = client * DiskConfiguration.queueCapacity + queue
    precondition(client >= 0 && queue >= 0 && UInt64((number + 1) * RequestJournal.size) <= DiskConfiguration.stateSize)
    // SAFETY: the place lies inside the memory, checked above.
    return unsafe RequestJournal(unsafeBase: base + number * RequestJournal.size)
  }
}

/// The taken chains of one queue, in memory that outlives the server.
@safe
struct RequestJournal {
  /// The most descriptors of a queue.
  static var capacity: Int { 256 }
  fileprivate static var size: Int { 512 }
  private static var heads: Int { 64 }

  private let base: UnsafeMutableRawPointer

  /// - Precondition: `base` points to `size` bytes, as those of `Journals`.
  fileprivate init(unsafeBase base: UnsafeMutableRawPointer) {
    // SAFETY: the bytes are as the caller says.
    unsafe self.base = base
  }

  /// The index of the next chain to take.
  var next: UInt16 {
    get { word(0) { $0.load(ordering: .relaxed) } }
    nonmutating set { word(0) { $0.store(newValue, ordering: .releasing) } }
  }

  /// Up to where answers were published and their heads closed.
  var published: UInt16 {
    get { word(2) { $0.load(ordering: .relaxed) } }
    nonmutating set { word(2) { $0.store(newValue, ordering: .releasing) } }
  }

  /// Whether the chain of `head` was taken and not answered.
  func isOpen(_ head: Int) -> Bool { mark(head) { $0.load(ordering: .relaxed) != 0 } }

  func open(_ head: Int) { mark(head) { $0.store(1, ordering: .releasing) } }
  func close(_ head: Int) { mark(head) { $0.store(0, ordering: .releasing) } }

  /// Forgets all chains.
  func clear() {
    for head in 0..<Self.capacity { close(head) }
  }

  private func word<R>(_ offset: Int, _ body: (borrowing Atomic<UInt16>) -> R) -> R {
    // SAFETY: the journal's memory is mapped and aligned; any bits are a number.
    unsafe body((base + offset).assumingMemoryBound(to: Atomic<UInt16>.self).pointee)
  }

  private func mark<R>(_ head: Int, _ body: (borrowing Atomic<UInt8>) -> R) -> R {
    precondition(head >= 0 && head < Self.capacity)
    // SAFETY: as in `word`; the head's byte lies inside the journal, checked above.
    return unsafe body((base + Self.heads + head).assumingMemoryBound(to: Atomic<UInt8>.self).pointee)
  }
}
