// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Synchronization

// Fixed priorities; within one, round robin by budget: a thread keeps what is left of its slice when it sleeps, and goes
// ahead of the others when it wakes, until the slice is used up; then it goes to the end of the queue with a new one.
// So a guest that mostly sleeps gets its timer interrupt at once, and no guest gets more than its share.

extension Core {
  /// Acts on requests, timers and notifications of this core's threads, if there can be any.
  mutating func serveThreads(_ now: UInt64, _ kernel: Kernel) {
    if kernelLog.takeNotice() { kernel.announceLog(from: self.index) }
    let isCalled = wasCalled.load(ordering: .relaxed) && wasCalled.exchange(false, ordering: .sequentiallyConsistent)
    guard isCalled || now >= nextDue else { return }
    kernel.checks.serve(self.index, now: now, kernel)
    nextDue = .max
    nextLimit = .max
    for place in 0..<threads.count {
      let index = threads[place]
      if kernel.threads[index].requests.load(ordering: .relaxed) != 0 { serveRequests(of: index, kernel) }
      serveTimers(of: index, now, kernel)
    }
    // Only now: what was done above may have notified any of them.
    for place in 0..<threads.count {
      let index = threads[place]
      if kernel.threads[index].state == .waiting, kernel.threads[index].hasNotifications { wake(index, kernel) }
    }
  }

  private mutating func serveTimers(of index: Int, _ now: UInt64, _ kernel: Kernel) {
    let deadline = kernel.threads[index].deadline
    if deadline != 0, now >= deadline {
      kernel.threads[index].deadline = 0
      kernel.note(.timer, for: index)
    } else if deadline != 0 {
      expect(deadline, limit: deadline)
    }
    if kernel.threads[index].releaseAt != 0 { serveLines(of: index, now, kernel) }
    let end = kernel.threads[index].sleepUntil
    if end != 0, now >= end {
      wakeGuest(index, kernel)
    } else if end != 0 {
      expect(end, limit: kernel.threads[index].sleepLimit)
    }
  }

  /// Opens what was held back of a thread's lines, if it is time: apart, since next to no turn has any.
  @inline(never)
  private mutating func serveLines(of index: Int, _ now: UInt64, _ kernel: Kernel) {
    var release = kernel.threads[index].releaseAt
    if now >= release {
      release = kernel.releaseLines(of: index, now: now, from: self.index)
      kernel.threads[index].releaseAt = release
    }
    if release != 0 { expect(release, limit: release) }
  }

  /// Something is due at `time`, and may wait until `limit`.
  @inline(__always)
  private mutating func expect(_ time: UInt64, limit: UInt64) {
    nextDue = min(nextDue, time)
    nextLimit = min(nextLimit, limit)
  }

  /// Has `Notifications.timer` be raised for a thread at `deadline`; 0 for never.
  mutating func setDeadline(_ deadline: UInt64, of index: Int, _ kernel: Kernel) {
    kernel.threads[index].deadline = deadline
    if deadline != 0 { expect(deadline, limit: deadline) }
  }

  /// Has a thread's guest go on at `end`, or up to `slack` later if others wake by then.
  @inline(__always)
  mutating func setSleep(until end: UInt64, slack: UInt32, of index: Int, _ kernel: Kernel) {
    let (limit, isTooFar) = end.addingReportingOverflow(UInt64(slack))
    kernel.threads[index].sleepUntil = end
    kernel.threads[index].sleepLimit = isTooFar ? .max : limit
    expect(end, limit: kernel.threads[index].sleepLimit)
  }

  /// When a core with nothing to do wakes: with the last of what is due by the time that none may wait beyond.
  func wakeTime(_ kernel: Kernel) -> UInt64 {
    guard nextLimit != nextDue else { return nextDue }
    var time = nextDue
    for place in 0..<threads.count {
      let end = kernel.threads[threads[place]].sleepUntil
      if end > time, end <= nextLimit { time = end }
    }
    return time
  }

  /// Ends the sleep of a thread's guest, which goes on as its VMM prepared it.
  private mutating func wakeGuest(_ index: Int, _ kernel: Kernel) {
    guard let number = kernel.threads[index].virtualCPU else { return }
    kernel.threads[index].sleepUntil = 0
    kernel.threads[index].needsWake.store(false, ordering: .sequentiallyConsistent)
    kernel.virtualCPUs[number].load()
    makeReady(index, kernel)
  }

  /// Ends a thread's `wait`, or its `enterGuest` before the guest had slept enough.
  private mutating func wake(_ index: Int, _ kernel: Kernel) {
    kernel.threads[index].mode = .user
    kernel.threads[index].sleepUntil = 0
    kernel.threads[index].needsWake.store(false, ordering: .sequentiallyConsistent)
    let taken = kernel.threads[index].takeNotifications()
    kernel.threads[index].answer(.ok, taken.rawValue)
    makeReady(index, kernel)
  }

  /// Puts a thread among those that can run: to the front while it has some time left, else to the end. With little left
  /// it would soon be made to leave its guest, in the middle of what it woke for.
  mutating func makeReady(_ index: Int, _ kernel: Kernel) {
    setState(.ready, of: index, kernel)
    if kernel.threads[index].slice > fullSlice / 4 {
      firstTurn -= 1
      kernel.threads[index].turn = firstTurn
    } else {
      sendToEnd(index, kernel)
    }
  }

  /// Gives a thread a new slice and the last place in its queue.
  mutating func sendToEnd(_ index: Int, _ kernel: Kernel) {
    lastTurn += 1
    kernel.threads[index].turn = lastTurn
    kernel.threads[index].slice = fullSlice
  }

  /// Changes what a thread is doing.
  @inline(__always)
  mutating func setState(_ state: ThreadState, of index: Int, _ kernel: Kernel) {
    kernel.threads[index].state = state
    let bit = UInt32(1) << UInt32(kernel.threads[index].place)
    ready = state == .ready ? ready | bit : ready & ~bit
  }

  /// The thread that runs next; `nil` if none can.
  mutating func chooseThread(_ kernel: Kernel) -> Int? {
    if let current, kernel.threads[current].slice == 0 { sendToEnd(current, kernel) }
    var rest = ready
    var best: Int?
    while rest != 0 {
      let index = threads[rest.trailingZeroBitCount]
      rest &= rest &- 1
      if let other = best, !goesBefore(index, other, kernel) { continue }
      best = index
    }
    current = best
    return best
  }

  private func goesBefore(_ index: Int, _ other: Int, _ kernel: Kernel) -> Bool {
    let priority = kernel.threads[index].priority
    let otherPriority = kernel.threads[other].priority
    guard priority == otherPriority else { return priority > otherPriority }
    return kernel.threads[index].turn < kernel.threads[other].turn
  }

  /// Sees to it that a thread's turn ends with whatever comes first: a thread's deadline, or the end of the slice if
  /// somebody waits for it.
  /// - Returns: When that is.
  @inline(__always)
  mutating func limitTurn(of running: Int, _ now: UInt64, _ kernel: Kernel) -> UInt64 {
    var end = nextLimit
    if hasRival(running, kernel) { end = min(end, now &+ kernel.threads[running].slice) }
    aimTimer(at: end, for: running, now, kernel)
    return end
  }

  /// Has the timer end a turn at `end`, unless it is the guest's, which leaves by itself then.
  @inline(__always)
  mutating func aimTimer(at end: UInt64, for running: Int, _ now: UInt64, _ kernel: Kernel) {
    if timer.leavesGuestsAlone, kernel.threads[running].mode == .guest {
      timer.putOff(beyond: end, now: now)
    } else {
      timer.arm(end, now: now, kernel.threads[running].virtualCPU == nil ? .early : .late)
    }
  }

  /// Whether another thread of the same priority can run.
  @inline(__always)
  private func hasRival(_ running: Int, _ kernel: Kernel) -> Bool {
    var rest = ready & ~(1 << UInt32(kernel.threads[running].place))
    while rest != 0 {
      let index = threads[rest.trailingZeroBitCount]
      rest &= rest &- 1
      if kernel.threads[index].priority == kernel.threads[running].priority { return true }
    }
    return false
  }
}
