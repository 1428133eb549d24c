// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// One command slot: a request from its submission until the caller has taken its outcome.
struct Slot {
  var request = DiskRequest(.flush, tag: 0)
  /// Pieces of memory in the slot's command table.
  var entries = 0
  var byteCount: UInt64 = 0
  /// When it was submitted, as a number that only grows.
  var sequence: UInt64 = 0
  /// When the drive must have answered; for a command that was issued.
  var deadline: UInt64 = 0
  /// How often the request itself has failed.
  var failures: UInt8 = 0
  /// How often it was interrupted by what may be another's failure.
  var disturbances: UInt8 = 0
  var outcome = DiskOutcome.success
}

/// The requests of a port, by slot.
///
/// A slot in use is in exactly one of four sets:
///
///     free ─► waiting ─► issued ─► finished ─► free
///                ▲  │       │ suspend
///                │  └─► joined (a flush that the issued flush answers as well) ─► finished
///                └──────────┘
///
/// So no request ends twice, and none ends that was not issued, joined or given up.
struct SlotTable: ~Copyable {
  private let inPlace = InPlace()
  private(set) var slots: InlineArray<32, Slot> = InlineArray(repeating: Slot())
  private(set) var waiting = SlotSet.none
  private(set) var issued = SlotSet.none
  private(set) var joined = SlotSet.none
  private(set) var finished = SlotSet.none
  /// Those that are to be issued with no other beside them, so that a failure is theirs.
  private(set) var isolated = SlotSet.none
  /// Slots that can be claimed: 0 up to here.
  var capacity = 0
  private var nextSequence: UInt64 = 0

  subscript(_ index: Int) -> Slot { slots[index] }

  private var used: SlotSet { waiting | issued | joined | finished }

  /// A slot that is free; `nil` if there is none.
  var free: Int? {
    let index = (~used.rawValue).trailingZeroBitCount
    return index < capacity ? index : nil
  }

  /// Puts a request into a free slot.
  mutating func add(_ request: DiskRequest, _ memory: ScatterList, at index: Int) {
    slots[index] = Slot(
      request: request, entries: memory.count, byteCount: memory.byteCount, sequence: nextSequence)
    nextSequence &+= 1
    waiting.insert(.bit(index))
  }

  /// The request that has waited longest.
  var oldestWaiting: Int? {
    var rest = waiting
    var oldest = rest.takeFirst()
    while let index = rest.takeFirst() {
      if let current = oldest, slots[index].sequence < slots[current].sequence { oldest = index }
    }
    return oldest
  }

  /// The drive gets the request.
  mutating func issue(_ index: Int, deadline: UInt64) {
    waiting.remove(.bit(index))
    issued.insert(.bit(index))
    slots[index].deadline = deadline
    guard slots[index].request.kind == .flush else { return }
    // A flush covers what was done before it is issued, and so before all flushes that were submitted until now.
    var rest = waiting
    while let other = rest.takeFirst() {
      guard slots[other].request.kind == .flush else { continue }
      waiting.remove(.bit(other))
      joined.insert(.bit(other))
    }
  }

  /// All that the drive has is taken back, to be issued again.
  /// - Returns: Which those were.
  mutating func suspend() -> SlotSet {
    let suspended = issued
    waiting.insert(issued)
    issued = .none
    return suspended
  }

  /// The request has ended, whether the drive had it or not; a flush takes those along that joined it.
  mutating func finish(_ index: Int, _ outcome: DiskOutcome) {
    guard isOpen(index) else { return }
    var ended = SlotSet.bit(index)
    if slots[index].request.kind == .flush { ended.insert(joined) }
    waiting.remove(ended)
    issued.remove(ended)
    joined.remove(ended)
    isolated.remove(ended)
    finished.insert(ended)
    while let index = ended.takeFirst() { slots[index].outcome = outcome }
  }

  /// All requests have ended.
  mutating func finishAll(_ outcome: DiskOutcome) {
    var rest = waiting | issued | joined
    while let index = rest.takeFirst() { finish(index, outcome) }
  }

  /// Takes a request that has ended: its slot is free again.
  mutating func takeFinished() -> Slot? { finished.takeFirst().map { slots[$0] } }

  private func isOpen(_ index: Int) -> Bool { (waiting | issued | joined).contains(.bit(index)) }

  /// The next time this is issued, nothing else is.
  mutating func isolate(_ which: SlotSet) { isolated.insert(which & (waiting | issued)) }

  /// The request has failed once more.
  mutating func countFailure(_ index: Int) { slots[index].failures += 1 }

  /// The requests were interrupted; those that this happened to before wait until they can be alone.
  mutating func countDisturbance(_ which: SlotSet) {
    var rest = which & waiting
    while let index = rest.takeFirst() {
      slots[index].disturbances = min(slots[index].disturbances + 1, 2)
      if slots[index].disturbances == 2 { isolate(.bit(index)) }
    }
  }

  /// The issued requests whose time is over.
  func expired(at now: UInt64) -> SlotSet {
    var expired = SlotSet.none
    var rest = issued
    while let index = rest.takeFirst() {
      if slots[index].deadline <= now { expired.insert(.bit(index)) }
    }
    return expired
  }

  /// When the first of the issued requests must be done.
  var firstDeadline: UInt64? {
    var first: UInt64?
    var rest = issued
    while let index = rest.takeFirst() { first = min(first ?? .max, slots[index].deadline) }
    return first
  }
}
