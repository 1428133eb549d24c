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
  /// Acts on requests, timers and notifications of this core's threads.
  mutating func serveThreads(_ now: UInt64, _ kernel: Kernel) {
    if kernelLog.takeNotice() { kernel.announceLog(from: self.index) }
    for place in 0..<threads.count {
      let index = threads[place]
      if kernel.threads[index].requests.load(ordering: .relaxed) != 0 { serveRequests(of: index, kernel) }
      let deadline = kernel.threads[index].deadline
      if deadline != 0, now >= deadline {
        kernel.threads[index].deadline = 0
        kernel.raise(.timer, for: index, from: self.index)
      }
      let end = kernel.threads[index].sleepUntil
      if end != 0, now >= end { wakeGuest(index, kernel) }
    }
    // Only now: what was done above may have notified any of them.
    for place in 0..<threads.count {
      let index = threads[place]
      if kernel.threads[index].state == .waiting, kernel.threads[index].hasNotifications { wake(index, kernel) }
    }
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

  /// Puts a thread among those that can run: to the front while it has time left, else to the end.
  mutating func makeReady(_ index: Int, _ kernel: Kernel) {
    kernel.threads[index].state = .ready
    if kernel.threads[index].slice > 0 {
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

  /// The thread that runs next; `nil` if none can.
  mutating func chooseThread(_ kernel: Kernel) -> Int? {
    if let current, kernel.threads[current].slice == 0 { sendToEnd(current, kernel) }
    var best: Int?
    for place in 0..<threads.count {
      let index = threads[place]
      guard kernel.threads[index].state == .ready else { continue }
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

  /// Sets the core's timer to whatever comes first: a thread's deadline, or the end of the slice if somebody waits for it.
  mutating func armTimer(for running: Int?, _ now: UInt64, _ kernel: Kernel) {
    var earliest = UInt64.max
    var hasRival = false
    for place in 0..<threads.count {
      let index = threads[place]
      let deadline = kernel.threads[index].deadline
      if deadline != 0 { earliest = min(earliest, deadline) }
      let end = kernel.threads[index].sleepUntil
      if end != 0 { earliest = min(earliest, end) }
      if let running, index != running, kernel.threads[index].state == .ready,
        kernel.threads[index].priority == kernel.threads[running].priority
      {
        hasRival = true
      }
    }
    if hasRival, let running { earliest = min(earliest, now &+ kernel.threads[running].slice) }
    timer.arm(earliest, now: now, exactly: running == nil)
  }
}
