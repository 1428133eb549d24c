// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// Each interrupt of a device takes some microseconds of its core, whoever runs there. One source has so many in a window:
//
//   open ──── one more than `most` within `window` ────► held ──── 65 more all the same ────► stopped
//    ▲                                                    │
//    └────────────── the window is over ──────────────────┘
//
//   held      its source is masked where it sends: what it has to say comes when it is opened again, or its owner is told
//             to look for itself
//   stopped   it does not keep to its mask, so all is taken from it until its owner starts anew
//
// Messages: 10,000 in 100 ms. One costs the kernel about 1.5 µs, so a storm takes a seventh of its core. An honest card is
// not held: a message costs a guest, which has one processor, an exit, a turn of its VMM and its own handler, 5 µs and
// more, so that 100,000 a second are all that it could see to; and network cards are set to 8,000 to 50,000 a second.
//
// Lines: 2,500 in 100 ms. A serial port at 115,200 baud has 11,520 characters a second in each direction, and a device
// with a line, which is masked from one interrupt to its acknowledgement, is of a time when 8,000 a second were many.

/// How many interrupts a source may send, and what becomes of it when it sends more.
package struct InterruptBudget: Sendable {
  /// Ways to interrupt.
  package enum Kind: Sendable {
    case line
    case message

    /// Interrupts within a window.
    package var most: UInt32 {
      switch self {
      case .line: 2_500
      case .message: 10_000
      }
    }
  }

  /// Windows in a second.
  package static var windowsInSecond: UInt64 { 10 }
  /// Interrupts that may be on their way when the source is masked.
  package static var mostOnTheWay: UInt32 { 64 }
  /// Interrupts in a row that nobody wanted, before that is worth a line.
  package static var mostUnwanted: UInt32 { 100 }

  /// What is to be done about an interrupt.
  package enum Answer: Equatable, Sendable {
    case deliver
    /// Its source is to be masked, and opened again by `release`. The first time is worth a line.
    case hold(isFirst: Bool)
    /// Its source is to be switched off. The first time is worth a line.
    case stop(isFirst: Bool)
  }

  package let kind: Kind
  private var start: UInt64 = 0
  private var count: UInt32 = 0
  private var unwanted: UInt32 = 0
  /// When the source is opened again; 0 if it is open.
  package private(set) var heldUntil: UInt64 = 0
  private var wasHeld = false
  /// Whether its source is off until its owner starts anew.
  package private(set) var isStopped = false

  package init(_ kind: Kind) { self.kind = kind }

  /// Whether its source is masked for a while.
  package var isHeld: Bool { heldUntil != 0 }

  /// Counts an interrupt.
  /// - Parameters:
  ///   - now: In ticks, of which a second has `second`.
  package mutating func take(now: UInt64, second: UInt64) -> Answer {
    guard !isStopped else { return .stop(isFirst: false) }
    count &+= 1
    if isHeld {
      guard count > kind.most &+ Self.mostOnTheWay else { return .deliver }
      isStopped = true
      return .stop(isFirst: true)
    }
    let window = second / Self.windowsInSecond
    if now &- start >= window {
      start = now
      count = 1
    }
    guard count > kind.most else { return .deliver }
    heldUntil = start &+ window
    defer { wasHeld = true }
    return .hold(isFirst: !wasHeld)
  }

  /// An interrupt came that nobody wanted: its source is masked for 10 ms, or it would come without end.
  /// - Returns: Whether that is worth a line: once, when it has been so 100 times in a row.
  package mutating func takeUnwanted(now: UInt64, second: UInt64) -> Bool {
    heldUntil = max(heldUntil, now &+ second / 100)
    guard unwanted <= Self.mostUnwanted else { return false }
    unwanted += 1
    return unwanted == Self.mostUnwanted
  }

  /// An interrupt came that somebody wanted.
  package mutating func noteWanted() { if unwanted < Self.mostUnwanted { unwanted = 0 } }

  /// Opens its source again if it is time.
  /// - Returns: Whether it is.
  package mutating func release(now: UInt64) -> Bool {
    guard isHeld, now >= heldUntil else { return false }
    heldUntil = 0
    return !isStopped
  }

  /// Its owner starts anew.
  package mutating func forget() { self = InterruptBudget(kind) }
}
