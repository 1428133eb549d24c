// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// A tick in one turn of the VMM. A halted guest usually sleeps until its timer's interrupt; what the machine is then can
// be worked out when it falls asleep. So the VMM prepares the entry with that interrupt at once and leaves the waking to
// the kernel:
//
//   halted ──planWake()──► prepared ──the time comes──► the guest is in its tick's handler
//                              └──something else happens before──► cancelWake(), and the machine was never ahead

/// How a halted guest wakes.
package struct WakePlan {
  /// When, in guest time.
  package let time: UInt64
  /// The interrupt it wakes with.
  package let vector: UInt8
}

/// What `planWake` changes of a machine, as it was before.
struct StateBeforeWake {
  // The machine has room for one, and no plan carries it about: it would be copied at each exit, planned or not.
  var now: UInt64
  var apic: LocalAPIC
  var deadlines: Deadlines
  var paravirtualEOI: ParavirtualEOI
  var pageSchedule: LocalAPICPageSchedule
}

extension PC {
  /// Moves the machine to the moment when the local APIC's timer ends the sleep of a guest that halted with nothing
  /// pending; `nil`, and nothing changed, if it is not that timer that comes first.
  package mutating func planWake() -> WakePlan? {
    awaitsCount = false
    let time = min(deadlines.apic, deadlines.tsc)
    guard time < deadlines.firstOfOthers, time > now, offer == .none, !owesTick else { return nil }
    beforeWake.now = now
    beforeWake.apic = apic
    beforeWake.deadlines = deadlines
    beforeWake.paravirtualEOI = paravirtualEOI
    beforeWake.pageSchedule = pageSchedule
    advance(to: time)
    guard let vector = nextInterrupt() else {
      cancelWake()
      return nil
    }
    return WakePlan(time: time, vector: vector)
  }

  /// The guest was not woken: takes back all that the last `planWake` did.
  package mutating func cancelWake() {
    if !beforeWake.paravirtualEOI.isArmed { _ = paravirtualEOI.disarm(in: memory) }
    now = beforeWake.now
    apic = beforeWake.apic
    deadlines = beforeWake.deadlines
    paravirtualEOI = beforeWake.paravirtualEOI
    pageSchedule = beforeWake.pageSchedule
    showsLocalAPICPage = false
    offer = .none
  }
}
