// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Synchronization

// The way of an interrupt to a guest that runs on another core:
//
//   server's core   with the lock: does the guest run, and has its VMM a vector for this message? Then the vector's bit
//                   is set, and ON; who finds ON clear announces it, by an interrupt of the guest's core
//   guest's core    the processor hears of that, clears ON, takes the bits among the guest's requests, and ends the
//                   interrupt of the machine: no exit
//
// Before an entry the guest's core says, with the lock, that the guest runs, and after the exit that it does not. So what
// is posted is there before the exit is looked at: the VMM's model gets it with the other requests (`drain`), or, if the
// kernel lets the guest go on by itself, the processor does after the next entry. A guest that does not run gets nothing
// here: its VMM is signalled, as ever. An announcement may come when nobody waits for it any more: it is ended, no more.

/// What became of an interrupt for a guest on another core.
package enum PostedAnswer: Equatable {
  /// It cannot be: the guest does not run, or its VMM wants to hear of this. Nothing has changed.
  case refused
  /// The guest gets it, if its core is told where `mustAnnounce` says so.
  case posted(mustAnnounce: Bool)
}

/// Interrupts that other cores give to a guest while it runs: the processor's descriptor (Intel SDM volume 3, §30.6), and
/// what decides whether something may be put there.
///
/// Layout: a bit for each vector from byte 0, ON in bit 0 of byte 32; of software the lock at 64, whether the guest runs
/// at 65, and from 128 the vectors of `PostedMessages` as of the last entry, which change while the guest does not run.
@safe
package struct PostedInterrupts {
  /// Bytes of the region.
  package static var size: Int { 256 }

  private let base: UnsafeMutableRawPointer

  /// - Precondition: `base` points to `size` zero bytes on a border of 64, for as long as this value is used.
  package init(unsafeBase base: UnsafeMutableRawPointer) {
    unsafe self.base = base
  }

  // MARK: - The guest's core

  /// Nothing is posted, and nothing can be.
  package func reset() {
    end()
    clearNotice()
    for index in 0..<4 { _ = take(index) }
    take(InlineArray(repeating: 0))
  }

  /// The VMM's vectors, while the guest does not run.
  package func take(_ vectors: InlineArray<128, UInt8>) {
    // SAFETY: the region holds them there; others look with the lock, and while the guest runs.
    unsafe base.storeBytes(of: vectors, toByteOffset: 128, as: InlineArray<128, UInt8>.self)
  }

  /// The guest is about to run.
  /// - Returns: Whether there is something for it that its processor may not have heard of.
  package func begin() -> Bool {
    setRunning(1)
    return isOutstanding
  }

  /// The guest has left.
  package func end() { setRunning(0) }

  /// Adds what the processor did not take before the guest left.
  package func drain(into requests: inout InlineArray<4, UInt64>) {
    guard isOutstanding else { return }
    clearNotice()
    for index in 0..<4 { requests[index] |= take(index) }
  }

  private func setRunning(_ value: UInt8) {
    // SAFETY: the region holds the byte, which nobody touches without the lock.
    withLock { unsafe base.storeBytes(of: value, toByteOffset: 65, as: UInt8.self) }
  }

  // MARK: - The other cores

  /// Gives the guest the interrupt that its VMM has for message `message` of channel `slot`.
  package func post(_ message: Int, ofSlot slot: Int) -> PostedAnswer {
    guard let place = PostedMessages.place(slot: slot, message: message) else { return .refused }
    return withLock {
      // SAFETY: as in `setRunning`, and in `take`: a place is below 128.
      guard unsafe base.load(fromByteOffset: 65, as: UInt8.self) != 0 else { return .refused }
      let vector = unsafe base.load(fromByteOffset: 128 + place, as: UInt8.self)
      return vector >= 16 ? .posted(mustAnnounce: set(vector)) : .refused
    }
  }

  /// - Returns: Whether nobody has announced anything yet.
  private func set(_ vector: UInt8) -> Bool {
    _ = word(Int(vector >> 6)) { $0.bitwiseOr(1 << UInt64(vector & 63), ordering: .sequentiallyConsistent).newValue }
    return word(4) { $0.bitwiseOr(1, ordering: .sequentiallyConsistent).oldValue } & 1 == 0
  }

  // MARK: - The descriptor, whose words the processor changes too

  private var isOutstanding: Bool { word(4) { $0.load(ordering: .relaxed) } & 1 != 0 }

  private func clearNotice() { _ = word(4) { $0.bitwiseAnd(~1, ordering: .sequentiallyConsistent).newValue } }

  private func take(_ index: Int) -> UInt64 { word(index) { $0.exchange(0, ordering: .sequentiallyConsistent) } }

  private func word(_ index: Int, _ body: (borrowing Atomic<UInt64>) -> UInt64) -> UInt64 {
    // SAFETY: aligned words of the region that are touched as atomics alone; all zeros is one.
    unsafe body((base + 8 * index).assumingMemoryBound(to: Atomic<UInt64>.self).pointee)
  }

  /// The lock is held for a few instructions, with interrupts off: nobody waits for long.
  private func withLock<R>(_ body: () -> R) -> R {
    while lock({ $0.exchange(true, ordering: .acquiring) }) {}
    defer { _ = lock { $0.exchange(false, ordering: .releasing) } }
    return body()
  }

  private func lock(_ body: (borrowing Atomic<Bool>) -> Bool) -> Bool {
    // SAFETY: a byte of the region that is touched as an atomic alone.
    unsafe body((base + 64).assumingMemoryBound(to: Atomic<Bool>.self).pointee)
  }
}
