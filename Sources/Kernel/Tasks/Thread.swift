// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Synchronization
import X86

// A thread belongs to one core for good. That core alone reads and writes its state; others raise notifications and
// requests, which are atomic words, and send an interrupt if the thread may be asleep.
//
//   ready ──chosen──► (running) ──wait, nothing pending──► waiting ──notification──► ready
//     ▲                  │ └──exit, trap, stop request──► stopped ──restart request──► ready
//     └── slice used ────┘

/// What a thread is doing, as its own core sees it.
enum ThreadState {
  case stopped
  case ready
  /// In `wait`, or in `enterGuest` with a guest that sleeps: until a notification, or the end of that sleep.
  case waiting
}

/// Whether a thread goes on in its component or in its guest.
enum ThreadMode {
  case user
  case guest
}

/// The thread of a protection domain.
struct Thread: ~Copyable {
  /// Its registers while it does not run; the processor itself writes here when it traps.
  var frame = cx86_frame()
  /// Bits raised and not yet taken.
  let notifications = Atomic<UInt64>(0)
  /// What other cores want of it.
  let requests = Atomic<UInt32>(0)
  /// Whether a notification must wake its core: it waits, or runs its guest.
  let needsWake = Atomic<Bool>(false)

  let core: Int
  /// Its place among its core's threads.
  var place = 0
  let priority: UInt8
  /// Its vCPU, an index of `Kernel.virtualCPUs`.
  let virtualCPU: Int?
  var state = ThreadState.stopped
  var mode = ThreadMode.user
  /// Whether translations of its address space are to be forgotten when it next runs.
  var mustForget = true
  /// When `Notifications.timer` is due; 0 for never.
  var deadline: UInt64 = 0
  /// When its sleeping guest enters; 0 if none sleeps.
  var sleepUntil: UInt64 = 0
  /// The latest that it may enter then.
  var sleepLimit: UInt64 = 0
  /// When a line of its own that is held back is opened again; 0 if none is.
  var releaseAt: UInt64 = 0
  /// Ticks left of its time slice.
  var slice: UInt64 = 0
  /// Its place among those of its priority: the lowest goes first.
  var turn: UInt64 = 0
  /// When a domain that fails again and again may next be started by itself, and how often it was lately.
  var startBudget = StartBudget()

  init(core: Int, priority: UInt8, virtualCPU: Int?) {
    self.core = core
    self.priority = priority
    self.virtualCPU = virtualCPU
  }

  /// Takes all notifications.
  func takeNotifications() -> Notifications {
    Notifications(rawValue: notifications.exchange(0, ordering: .sequentiallyConsistent))
  }

  var hasNotifications: Bool { notifications.load(ordering: .sequentiallyConsistent) != 0 }

  /// Ends the current system call with `status` and `value`.
  mutating func answer(_ status: Status, _ value: UInt64 = 0) {
    frame.rax = status.rawValue
    frame.rdx = value
  }
}

/// What one core may ask of another's thread.
struct ThreadRequests: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  static var stop: Self { .bit(0) }
  static var restart: Self { .bit(1) }
}

/// Bounds how often a failing domain is started by itself: eight times, one more for each ten seconds it ran.
struct StartBudget {
  private static var capacity: UInt64 { 8 }
  private static var secondsForOne: UInt64 { 10 }

  private var used: UInt64 = 0
  private var since: UInt64 = 0

  /// Whether one more start is allowed at `now`, in ticks.
  mutating func take(now: UInt64, frequency: UInt64) -> Bool {
    let earned = (now &- since) / (frequency &* Self.secondsForOne)
    if earned > 0 {
      used -= min(used, earned)
      since = now
    }
    guard used < Self.capacity else { return false }
    used += 1
    return true
  }
}
