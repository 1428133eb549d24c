// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Synchronization

/// The kernel's log, which it goes on writing while it is read.
///
/// A line's number is written last and read first, and again after its text: a line that changed in between was lost.
@safe
package struct LogView {
  /// What comes next.
  enum Entry {
    /// Nothing new.
    case nothing
    /// Lines that were overwritten before they were read.
    case lost(UInt32)
    case line(LogRecord)
  }

  private let base: UnsafeRawPointer
  /// The number of the line to show next.
  private var next: UInt32

  /// - Precondition: `base` points to `LogRing.size` bytes, aligned to 8, mapped for as long as this lives.
  package init(unsafeBase base: UnsafeRawPointer) {
    unsafe self.base = base
    next = 1
    next = max(word(at: 4), 1)
  }

  /// Whether `take` has something.
  var hasMore: Bool { Int32(bitPattern: word(at: 0) &- next) >= 0 }

  mutating func take() -> Entry {
    guard hasMore else { return .nothing }
    // The oldest line may be being overwritten: it counts as gone.
    let kept = UInt32(LogRing.capacity) - 1
    let waiting = word(at: 0) &- next &+ 1
    guard waiting <= kept else {
      next = next &+ (waiting - kept)
      return .lost(waiting - kept)
    }
    let offset = LogRing.offset(ofLine: next)
    let number = word(at: offset)
    // SAFETY: every record lies inside the region; any bytes are a record.
    let record = unsafe base.load(fromByteOffset: offset, as: LogRecord.self)
    guard number == next, word(at: offset) == next else {
      next = next &+ 1
      return .lost(1)
    }
    next = next &+ 1
    return .line(record)
  }

  /// A word that the kernel writes: the header's `newest` and `firstUnshown`, and the number of each record.
  private func word(at offset: Int) -> UInt32 {
    // SAFETY: all of these lie inside the region and are aligned to 4.
    unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt32>.self).pointee.load(ordering: .acquiring)
  }
}
