// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Synchronization
import X86

/// Starting, stopping and failing of this core's domains.
extension Core {
  /// Acts on what other cores asked of a thread.
  mutating func serveRequests(of index: Int, _ kernel: Kernel) {
    let taken = ThreadRequests(
      rawValue: kernel.threads[index].requests.exchange(0, ordering: .sequentiallyConsistent))
    if taken.contains(.restart), !kernel.domains[index].hasCore {
      log(.error, "\(kernel.domains[index].name) cannot start: its core does not run")
    } else if taken.contains(.restart) {
      start(index, kernel)
    } else if taken.contains(.stop), kernel.threads[index].state != .stopped {
      stop(index, .stopped, kernel)
    }
  }

  /// Starts a domain from its pristine program, running or not.
  mutating func start(_ index: Int, _ kernel: Kernel) {
    kernel.silenceDevices(of: index)
    kernel.domains[index].restoreMemory()
    if kernel.domains[index].traits.contains(.showsLog) { kernelLog.handOver() }
    kernel.threads[index].frame = .start(at: kernel.domains[index].program.entry)
    kernel.threads[index].notifications.store(0, ordering: .sequentiallyConsistent)
    kernel.threads[index].deadline = 0
    kernel.threads[index].sleepUntil = 0
    kernel.threads[index].mode = .user
    kernel.threads[index].mustForget = true
    if let number = kernel.threads[index].virtualCPU {
      kernel.virtualCPUs[number].reset()
      if extendedOwner == number { extendedOwner = nil }
    }
    let status = kernel.domains[index].status
    status.value.state = DomainState.running.rawValue
    status.value.starts &+= 1
    status.value.startedAt = cx86_rdtsc()
    sendToEnd(index, kernel)
    setState(.ready, of: index, kernel)
    kernel.announceChange(from: self.index)
  }

  /// Stops a domain where it is.
  mutating func stop(_ index: Int, _ state: DomainState, _ kernel: Kernel) {
    setState(.stopped, of: index, kernel)
    kernel.silenceDevices(of: index)
    kernel.threads[index].deadline = 0
    kernel.threads[index].sleepUntil = 0
    kernel.threads[index].needsWake.store(false, ordering: .sequentiallyConsistent)
    if kernel.domains[index].traits.contains(.showsLog) { kernelLog.takeBack() }
    kernel.domains[index].status.value.state = state.rawValue
    if state == .stopped, let number = kernel.threads[index].virtualCPU { kernel.virtualCPUs[number].disownMemory() }
    if current == index { current = nil }
    kernel.announceChange(from: self.index)
  }

  /// A domain cannot go on: stops it, and starts it again if its description says so and it does not fail for ever.
  mutating func fail(_ index: Int, _ kernel: Kernel) {
    stop(index, .crashed, kernel)
    let name = kernel.domains[index].name
    guard kernel.domains[index].onCrash == .restart else { return }
    let frequency = kernel.information.value.tscFrequency
    guard kernel.threads[index].startBudget.take(now: cx86_rdtsc(), frequency: frequency) else {
      log(.error, "\(name) failed too often and stays stopped")
      return
    }
    log(.warning, "\(name) is started again")
    start(index, kernel)
  }
}

extension Domain {
  /// Writes the program's segments and the workspaces as they were at boot.
  func restoreMemory() {
    for place in 0..<program.segments.count {
      let segment = program.segments[place]
      // SAFETY: `DomainBuilder.program` dealt `memory` out and made it no smaller than `pristine`, which `ELFImage`
      // found inside its file.
      let target = unsafe DirectMap.pointer(segment.memory.start)
      unsafe target.initializeMemory(as: UInt64.self, repeating: 0, count: Int(segment.memory.size / 8))
      unsafe target.copyMemory(from: DirectMap.pointer(segment.pristine.start), byteCount: Int(segment.pristine.size))
    }
    for place in 0..<workspaces.count {
      let extent = workspaces[place]
      // SAFETY: the extent was dealt out to this domain at boot, in whole pages.
      let target = unsafe DirectMap.pointer(extent.start)
      unsafe target.initializeMemory(as: UInt64.self, repeating: 0, count: Int(extent.size / 8))
    }
  }
}

extension cx86_frame {
  /// The registers of a component that starts at `entry` with an empty stack.
  static func start(at entry: UInt64) -> cx86_frame {
    var frame = cx86_frame()
    frame.rip = entry
    frame.cs = UInt64(Selector.userCode)
    frame.ss = UInt64(Selector.userData)
    frame.rflags = 0x202
    frame.rsp = AddressMap.stackTop
    return frame
  }
}
