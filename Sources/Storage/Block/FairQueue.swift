// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// Who may send the next command to the disk.
//
// Each VM ("owner") has at most one request at the head of its line; the rest waits in its own queues. Start-time fair
// queueing: a request begins, in virtual time, where its owner's last one ended, and takes as long as it is big; the
// request that begins first goes first. Virtual time is that of the last request that went. An owner that had nothing
// to ask for, or was held back, gets no credit for it.
//
// What the disk was given cannot be taken back, and it does it in its own order. So while others use the disk too, an
// owner has only so many bytes on their way, its window, or a single larger command. And it has at most its rate, if it
// has one.

/// Deals out a disk's command slots to VMs, so that none of them starves.
package struct FairQueue<let capacity: Int>: ~Copyable, Sendable {
  /// What each command costs beside its bytes: many small ones keep a disk as busy as a few big ones.
  package static var commandCost: UInt64 { 16384 }

  /// Whose turn it is.
  package enum Turn: Equatable, Sendable {
    /// The request at the head of this owner's line; it counts as issued.
    case issue(Int)
    /// Nobody's before this time, unless something is offered or finished.
    case wait(until: UInt64)
    /// Nobody's, unless something is offered or finished.
    case nobody
  }

  private struct Owner {
    /// Bytes of the request at the head of its line.
    var head: UInt64?
    /// Where that request begins in virtual time.
    var start: UInt64 = 0
    /// Where the last one ended in virtual time.
    var end: UInt64 = 0
    /// Commands that are not finished, and their bytes.
    var issued = 0
    var issuedBytes: UInt64 = 0
    /// Nanoseconds for a million bytes; 0 for no limit.
    var pace: UInt64 = 0
    /// How far `due` may be ahead of now.
    var allowance: UInt64 = 0
    /// When all that was issued is paid for at the owner's rate.
    var due: UInt64 = 0

    func isHeldBack(_ now: UInt64) -> Bool { pace > 0 && due > now &+ allowance }

    /// Nanoseconds that so many bytes take at the owner's rate; at most an hour, which no request needs.
    func time(for bytes: UInt64) -> UInt64 {
      let hour: UInt64 = 3_600_000_000_000
      let (product, overflow) = bytes.multipliedReportingOverflow(by: pace)
      return overflow ? hour : min(product / 1_000_000, hour)
    }
  }

  private let inPlace = InPlace()
  private var owners = InlineArray<capacity, Owner>(repeating: Owner())
  private var virtualTime: UInt64 = 0
  private var issued = 0
  private let slots: Int
  private let window: UInt64

  /// - Parameters:
  ///   - slots: Commands that the disk takes at once.
  ///   - window: Bytes that one owner may have on their way while others use the disk.
  package init(slots: Int, window: UInt64 = 1 << 20) {
    self.slots = slots
    self.window = window
  }

  /// Limits an owner to so many bytes per second; after a pause it may send `burst` bytes more at once. 0 for no limit.
  package mutating func limit(_ owner: Int, bytesPerSecond rate: UInt64, burst: UInt64) {
    owners[owner].pace = rate == 0 ? 0 : max(1, 1_000_000_000_000_000 / rate)
    owners[owner].allowance = owners[owner].time(for: burst)
  }

  /// Puts a request of so many bytes at the head of an owner's line, which must be empty.
  package mutating func offer(_ owner: Int, bytes: UInt64) {
    precondition(owners[owner].head == nil)
    owners[owner].head = bytes
    owners[owner].start = later(owners[owner].end, virtualTime)
  }

  /// Empties an owner's line; what was issued must still finish.
  package mutating func withdraw(_ owner: Int) { owners[owner].head = nil }

  /// Whether an owner has a request at the head of its line.
  package func hasOffer(_ owner: Int) -> Bool { owners[owner].head != nil }

  /// Commands of an owner that are not finished.
  package func issuedCount(_ owner: Int) -> Int { owners[owner].issued }

  /// Takes back the slot of a finished command of so many bytes.
  package mutating func finish(_ owner: Int, bytes: UInt64) {
    precondition(owners[owner].issued > 0)
    owners[owner].issued -= 1
    owners[owner].issuedBytes &-= bytes
    issued -= 1
  }

  /// Chooses whose request is issued; `now` is in nanoseconds and does not go back.
  package mutating func next(now: UInt64) -> Turn {
    guard issued < slots else { return .nobody }
    let users = userCount(now)
    var best: Int?
    var wake: UInt64?
    for index in 0..<capacity where owners[index].head != nil {
      if owners[index].isHeldBack(now) {
        let time = owners[index].due &- owners[index].allowance
        wake = min(wake ?? time, time)
      } else if users < 2 || fitsWindow(index) {
        if let other = best, !isEarlier(owners[index].start, owners[other].start) { continue }
        best = index
      }
    }
    guard let best else { return wake.map { .wait(until: $0) } ?? .nobody }
    issue(best, now: now)
    // Who may not run now is not owed for it.
    for index in 0..<capacity where owners[index].head != nil {
      guard owners[index].isHeldBack(now) || !fitsWindow(index) else { continue }
      owners[index].start = later(owners[index].start, virtualTime)
    }
    return .issue(best)
  }

  private mutating func issue(_ index: Int, now: UInt64) {
    guard let bytes = owners[index].head else { return }
    owners[index].head = nil
    owners[index].issued += 1
    owners[index].issuedBytes &+= bytes
    issued += 1
    virtualTime = owners[index].start
    owners[index].end = virtualTime &+ bytes &+ Self.commandCost
    if owners[index].pace > 0 { owners[index].due = max(owners[index].due, now) &+ owners[index].time(for: bytes) }
  }

  /// Owners who use the disk now.
  private func userCount(_ now: UInt64) -> Int {
    var count = 0
    for index in 0..<capacity {
      let isWaiting = owners[index].head != nil && !owners[index].isHeldBack(now)
      if isWaiting || owners[index].issued > 0 { count += 1 }
    }
    return count
  }

  /// Whether an owner's request may be on its way beside those that are.
  private func fitsWindow(_ index: Int) -> Bool {
    guard owners[index].issued > 0, let bytes = owners[index].head else { return true }
    let (sum, overflow) = owners[index].issuedBytes.addingReportingOverflow(bytes)
    return !overflow && sum <= window
  }

  // Virtual time counts bytes, and may go round: what is compared lies close together.

  private func isEarlier(_ left: UInt64, _ right: UInt64) -> Bool { Int64(bitPattern: left &- right) < 0 }

  private func later(_ left: UInt64, _ right: UInt64) -> UInt64 { isEarlier(left, right) ? right : left }
}
