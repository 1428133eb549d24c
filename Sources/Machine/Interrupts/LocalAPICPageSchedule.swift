// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// An idle guest leaves by itself a moment after its tick: the count it stored began just before. A busy one must be
// made to leave. It re-armed its timer in the tick's handler, so the best moment to look is when that next tick is due:
// then the look costs no exit of its own, and the tick comes in time although nobody saw it armed. The price is that a
// shorter timer, set up later while the page is still shown, is seen no sooner; so one short count is enough to look
// early again until the counts are long again.

/// When the page in place of the local APIC is looked at if the guest does not leave by itself. Nanoseconds.
struct LocalAPICPageSchedule {
  /// The first look at a guest of which nothing is known, and at most after a count was missing.
  static var firstLook: UInt64 { 1_000_000 }
  /// The look at a guest that sets short timers.
  static var earlyLook: UInt64 { 100_000 }
  /// No tick is waited for longer than this: 200 Hz and more are looked at when the tick is due.
  static var lastLook: UInt64 { 5_000_000 }
  /// A shorter count than this is a short timer, not a tick.
  static var shortCount: UInt64 { 1_000_000 }

  /// A tick may be this part of its count late, if that saves setting the machine's timer anew.
  static var slackShare: UInt64 { 64 }

  /// How long the page is shown.
  private(set) var patience = LocalAPICPageSchedule.firstLook
  /// What an idle guest's handler took of late.
  private(set) var handlerTime: UInt64 = 50_000
  private var shownAt: UInt64 = 0

  /// The page is shown. → when it is to be looked at
  mutating func show(at now: UInt64) -> UInt64 {
    shownAt = now
    return now &+ patience
  }

  /// When the page is to be looked at if it is shown again in the same tick; `nil` once that time is over.
  func look(after now: UInt64) -> UInt64? {
    let look = shownAt &+ patience
    return look > now ? look : nil
  }

  /// The page is hidden; the guest stored a count of `wait`, if any. → when that count began
  mutating func hide(at now: UInt64, found wait: UInt64?) -> UInt64 {
    let shown = now &- shownAt
    guard shown >= patience else {
      let look = shownAt &+ patience
      guard let wait else { return now }
      handlerTime = (handlerTime &* 7 &+ min(shown, Self.firstLook)) / 8
      patience = wait < Self.shortCount ? Self.earlyLook : min(wait &+ handlerTime &+ handlerTime / 4, Self.lastLook)
      let due = now &+ wait
      // The machine's timer is set for the look already: a tick then costs no setting.
      return look >= due && look &- due <= wait / Self.slackShare ? look &- wait : now
    }
    let start = shownAt &+ min(handlerTime, patience)
    guard let wait else {
      patience = min(patience &* 2, max(patience, Self.firstLook))
      return start
    }
    patience = wait < Self.shortCount ? Self.earlyLook : min(wait &+ handlerTime, Self.lastLook)
    return start
  }
}
