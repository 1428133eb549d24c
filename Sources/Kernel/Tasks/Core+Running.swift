// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Processors
import Speculation
import Synchronization
import X86

/// The kernel's main loop. Running a thread or a guest is a call that returns with the reason it stopped.
extension Core {
  mutating func run(_ kernel: Kernel) -> Never {
    chargedAt = cx86_rdtsc()
    while true {
      let now = cx86_rdtsc()
      serveThreads(now, kernel)
      guard let index = chooseThread(kernel) else {
        idle(kernel)
        continue
      }
      let end = limitTurn(of: index, now, kernel)
      let others = ready
      while runEither(index, until: end, kernel), nothingChanged(since: others, until: end) {
        if timer.leavesGuestsAlone { aimTimer(at: end, for: index, chargedAt, kernel) }
      }
    }
  }

  /// - Returns: Whether the thread has only changed between its component and its guest, by itself: most exits are
  ///   answered so within one turn.
  @inline(__always)
  private mutating func runEither(_ index: Int, until end: UInt64, _ kernel: Kernel) -> Bool {
    kernel.threads[index].mode == .guest ? runGuest(index, until: end, kernel) : runUser(index, kernel)
  }

  /// Whether there is nothing for `serveThreads` and `chooseThread` to find.
  /// - Parameter others: What could run when the turn began.
  @inline(__always)
  private func nothingChanged(since others: UInt32, until end: UInt64) -> Bool {
    ready == others && chargedAt < end && chargedAt < nextDue && nextLimit >= end
      && !wasCalled.load(ordering: .relaxed) && !kernelLog.hasNotice
  }

  /// Runs a thread in its component until others may have to run: it traps, is interrupted, or makes a system call that
  /// is about more than itself.
  /// - Returns: Whether it goes on in its guest.
  private mutating func runUser(_ index: Int, _ kernel: Kernel) -> Bool {
    admit(index, as: .component, kernel)
    load(index, kernel)
    while true {
      if kernel.threads[index].frame.vector == UInt64(CX86_SYSTEM_CALL_VECTOR) {
        // SAFETY: the frame is the thread's own, in memory that stays; `load` pointed the processor at its end.
        unsafe cx86_return_to_user(&kernel.threads[index].frame)
      } else {
        // SAFETY: as above.
        unsafe cx86_enter_user(&kernel.threads[index].frame)
      }
      #if FAULT_INJECTION
        EntryChecks.leftRing3()
      #endif
      guard kernel.threads[index].frame.vector >= UInt64(CX86_SYSTEM_CALL_VECTOR) else { break }
      let scope = handleSystemCall(of: index, kernel)
      guard scope == .own else {
        charge(index, kernel)
        return scope == .guest
      }
    }
    charge(index, kernel)
    let vector = kernel.threads[index].frame.vector
    if vector >= Vectors.firstInterrupt {
      handleInterrupt(vector, kernel)
    } else {
      reportTrap(of: index, kernel)
      fail(index, kernel)
    }
    return false
  }

  /// Runs a thread's guest until the VMM must see an exit, the thread has been notified, or its turn ends.
  /// - Returns: Whether it was the guest that left, and the thread goes on.
  private mutating func runGuest(_ index: Int, until end: UInt64, _ kernel: Kernel) -> Bool {
    guard let number = kernel.threads[index].virtualCPU else { preconditionFailure() }
    guard !kernel.threads[index].hasNotifications else {
      kernel.virtualCPUs[number].leave(.none)
      finishGuest(index, kernel)
      return true
    }
    loadExtendedState(of: number, kernel)
    admit(index, as: .guest, kernel)
    kernel.threads[index].needsWake.store(true, ordering: .sequentiallyConsistent)
    let before = cx86_rdtsc()
    // A notification raised just before `needsWake` was set sent no interrupt: the next turn finds it.
    guard !kernel.threads[index].hasNotifications else { return false }
    if kernel.virtualCPUs[number].processor.mayLoseInterrupt { doubtsInterrupts = true }
    let reason = kernel.virtualCPUs[number].run(hostReturn(to: index, kernel), until: end)
    noteLoaded(index, kernel)
    let after = cx86_rdtsc()
    kernel.threads[index].needsWake.store(false, ordering: .sequentiallyConsistent)
    let status = kernel.domains[index].status
    status.value.guestTicks &+= after &- before
    status.value.exits &+= 1
    charge(index, kernel)
    if reason == .portAccess, let end = kickedEnd(index, number, kernel) {
      status.value.kicks &+= 1
      kernel.virtualCPUs[number].processor.skipPortWrite()
      kernel.raise(end.notification, for: end.thread, from: self.index)
    } else if let reason {
      if reason.mayBeMachineCheck, kernel.virtualCPUs[number].processor.metMachineCheck {
        meetMachineCheck(inGuestOf: index, kernel)
        guard kernel.threads[index].state != .stopped else { return false }
      }
      kernel.virtualCPUs[number].leave(reason)
      kernel.virtualCPUs[number].trace(in: status, reason)
      finishGuest(index, kernel)
    } else {
      meetInterrupt(inGuestOf: index, number, kernel)
    }
    status.value.kernelTicks &+= cx86_rdtsc() &- after
    return reason != nil
  }

  /// Does what has interrupted a guest.
  private mutating func meetInterrupt(inGuestOf index: Int, _ number: Int, _ kernel: Kernel) {
    kernel.domains[index].status.value.interruptExits &+= 1
    if kernel.virtualCPUs[number].processor.metMachineCheck { meetMachineCheck(inGuestOf: index, kernel) }
    let vector = kernel.virtualCPUs[number].processor.takenInterrupt() ?? cx86_take_interrupt()
    if vector != 0 { handleInterrupt(vector, kernel) }
  }

  @inline(__always)
  private func hostReturn(to index: Int, _ kernel: Kernel) -> HostReturn {
    HostReturn(state: hostState, space: kernel.root(of: index), atExit: occupancy.atExit)
  }

  /// Whom the guest's OUT is for, if it is a kick: its VMM need not hear of it.
  private func kickedEnd(_ index: Int, _ number: Int, _ kernel: Kernel) -> ChannelEnd? {
    guard let slot = kernel.virtualCPUs[number].kickedSlot(), slot < Notifications.channelCount else { return nil }
    return kernel.domains[index].channels[slot.clamped(below: Notifications.channelCount)]
  }

  /// Ends the thread's `enterGuest`.
  @inline(__always)
  private func finishGuest(_ index: Int, _ kernel: Kernel) {
    kernel.threads[index].mode = .user
    kernel.threads[index].needsWake.store(false, ordering: .sequentiallyConsistent)
    let taken = kernel.threads[index].takeNotifications()
    kernel.threads[index].answer(.ok, taken.rawValue)
  }

  /// Makes the thread's address space and frame those that the processor uses.
  @inline(__always)
  private mutating func load(_ index: Int, _ kernel: Kernel) {
    let mustForget = kernel.threads[index].mustForget
    guard loaded != index || mustForget else { return }
    kernel.threads[index].mustForget = false
    let root = kernel.root(of: index)
    cx86_write_cr3(mustForget ? root.forgetting : root.keeping)
    noteLoaded(index, kernel)
  }

  /// The thread's address space is the one that the processor uses: its frame is to be so too.
  @inline(__always)
  private mutating func noteLoaded(_ index: Int, _ kernel: Kernel) {
    guard loaded != index else { return }
    loaded = index
    // SAFETY: only the address of the frame is taken; it stays where it is.
    let frame = unsafe withUnsafePointer(to: &kernel.threads[index].frame) { UInt64(UInt(bitPattern: $0)) }
    let end = frame + UInt64(CX86_FRAME_END)
    taskState.value.setTrapStack(end)
    block.value.frameEnd = end
  }

  /// Puts the vCPU's floating point and debug registers into this core, which nothing but guests uses.
  @inline(__always)
  private mutating func loadExtendedState(of number: Int, _ kernel: Kernel) {
    if extendedOwner != number {
      var residue: ExtendedState.Residue?
      if let owner = extendedOwner { residue = kernel.virtualCPUs[owner].extended.save() }
      kernel.virtualCPUs[number].extended.restore(over: residue)
      extendedOwner = number
    }
    kernel.virtualCPUs[number].extended.select()
  }

  /// Sleeps until an interrupt.
  private mutating func idle(_ kernel: Kernel) {
    timer.arm(wakeTime(kernel), now: cx86_rdtsc(), .exact)
    if doubtsInterrupts {
      doubtsInterrupts = false
      kernel.interrupts.local.restate()
    }
    let vector = cx86_wait_for_interrupt()
    if vector != 0 { handleInterrupt(vector, kernel) }
    chargedAt = cx86_rdtsc()
  }

  /// Counts the time since the last charge as the thread's.
  @inline(__always)
  private mutating func charge(_ index: Int, _ kernel: Kernel) {
    let now = cx86_rdtsc()
    let ticks = now &- chargedAt
    chargedAt = now
    kernel.domains[index].status.value.ticks &+= ticks
    kernel.threads[index].slice -= min(kernel.threads[index].slice, ticks)
  }
}
