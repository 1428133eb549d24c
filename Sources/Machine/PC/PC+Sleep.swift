// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// A tick in one turn of the VMM. A halted guest usually sleeps until its timer's interrupt; what the machine is then can
// be worked out when it falls asleep. So the VMM prepares the entry with that interrupt at once and leaves the waking to
// the kernel:
//
//   halted ──planWake()──► prepared ──the time comes──► the guest is in its tick's handler
//                              └──something else happens before──► cancel(plan), and the machine was never ahead

/// A halted guest's machine as it was before `planWake` moved it on.
package struct WakePlan {
  /// When the guest is to wake, in guest time.
  package let time: UInt64
  /// The interrupt it wakes with.
  package let vector: UInt8
  fileprivate let now: UInt64
  fileprivate let apic: LocalAPIC
  fileprivate let deadlines: Deadlines
  fileprivate let paravirtualEOI: ParavirtualEOI
  fileprivate let pageSchedule: LocalAPICPageSchedule
}

extension PC {
  /// Moves the machine to the moment when the local APIC's timer ends the sleep of a guest that halted with nothing
  /// pending; `nil`, and nothing changed, if it is not that timer that comes first.
  package mutating func planWake() -> WakePlan? {
    awaitsCount = false
    let time = min(deadlines.apic, deadlines.tsc)
    guard time < deadlines.firstOfOthers, time > now, offer == .none, !owesTick else { return nil }
    let before = (now, apic, deadlines, paravirtualEOI, pageSchedule)
    advance(to: time)
    let vector = nextInterrupt()
    let plan = WakePlan(
      time: time, vector: vector ?? 0, now: before.0, apic: before.1, deadlines: before.2, paravirtualEOI: before.3,
      pageSchedule: before.4)
    guard vector != nil else {
      cancel(plan)
      return nil
    }
    return plan
  }

  /// The guest was not woken: takes back all that `planWake` did.
  package mutating func cancel(_ plan: WakePlan) {
    if !plan.paravirtualEOI.isArmed { _ = paravirtualEOI.disarm(in: memory) }
    now = plan.now
    apic = plan.apic
    deadlines = plan.deadlines
    paravirtualEOI = plan.paravirtualEOI
    pageSchedule = plan.pageSchedule
    showsLocalAPICPage = false
    offer = .none
  }
}
