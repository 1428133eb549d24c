// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Processors
import Synchronization

// NMIs and machine checks come between any two instructions, also while this core holds the log's lock. So their handlers
// write here what happened and say nothing; the core's own loop says it, a moment later.

/// What a core met and has not yet said. The handlers of this core write it, its loop reads.
struct CoreEvents: ~Copyable {
  private static var capacity: UInt32 { 32 }

  /// Whether there is anything below: the loop looks at this alone in every turn.
  private let isNoted = Atomic<Bool>(false)
  private let systemErrors = Atomic<UInt32>(0)
  private let channelChecks = Atomic<UInt32>(0)
  private let otherNMIs = Atomic<UInt32>(0)
  /// Banks written, and read.
  private let written = Atomic<UInt32>(0)
  private let read = Atomic<UInt32>(0)
  private let lost = Atomic<UInt32>(0)
  private var banks: InlineArray<32, MetError?> = InlineArray(repeating: nil)
  /// For the loop alone: when this core looks at its banks next, in ticks, and how much it may say.
  var nextPoll: UInt64 = 0
  var allowance = ReportAllowance()
  var nmiAllowance = ReportAllowance()

  /// Counts an NMI.
  func add(_ source: NMISource) {
    switch source {
    case .systemError: systemErrors.add(1, ordering: .releasing)
    case .channelCheck: channelChecks.add(1, ordering: .releasing)
    case .unknown: otherNMIs.add(1, ordering: .releasing)
    }
    isNoted.store(true, ordering: .releasing)
  }

  /// Whether something was noted since the last time.
  @inline(__always)
  func takeNotice() -> Bool {
    isNoted.load(ordering: .relaxed) && isNoted.exchange(false, ordering: .acquiring)
  }

  /// How many of a source there were since the last time.
  func take(_ source: NMISource) -> UInt32 {
    switch source {
    case .systemError: systemErrors.exchange(0, ordering: .acquiring)
    case .channelCheck: channelChecks.exchange(0, ordering: .acquiring)
    case .unknown: otherNMIs.exchange(0, ordering: .acquiring)
    }
  }

  mutating func add(_ error: MetError) {
    let place = written.load(ordering: .relaxed)
    guard place &- read.load(ordering: .acquiring) < Self.capacity else {
      lost.add(1, ordering: .relaxed)
      isNoted.store(true, ordering: .releasing)
      return
    }
    banks[Int(place % Self.capacity)] = error
    written.store(place &+ 1, ordering: .releasing)
    isNoted.store(true, ordering: .releasing)
  }

  /// The oldest error that was not yet said.
  func takeError() -> MetError? {
    let place = read.load(ordering: .relaxed)
    guard place != written.load(ordering: .acquiring) else { return nil }
    let error = banks[Int(place % Self.capacity)]
    read.store(place &+ 1, ordering: .releasing)
    return error
  }

  /// How many errors found no room since the last time.
  func takeLost() -> UInt32 { lost.exchange(0, ordering: .relaxed) }
}

/// An error that a core's banks told of.
struct MetError: BitwiseCopyable {
  let bank: MachineCheckBank
  /// Whether it came as a machine check; else it was found by looking.
  let wasRaised: Bool
  /// The domain that was stopped for it because it was at work, by its index.
  let stopped: Int?
}
