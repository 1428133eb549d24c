// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Synchronization
import X86

// Every call: parse, authorise, act. Nothing changes before the last step; a bad argument is an answer, never a trap.

/// Whom a system call may concern beside its thread.
enum CallScope {
  /// Nobody: the thread can go on at once.
  case own
  /// Nobody, unless it waits now: it is to run its guest.
  case guest
  /// Others may have become ready, or the thread no longer is.
  case all

  init(_ call: SystemCall) {
    switch call {
    case .setTimer, .acknowledgeInterrupt, .portIn, .portOut, .readConfiguration, .writeConfiguration, .mapDevice,
      .selectInterrupts, .setMessage, .resetDevice, .post:
      self = .own
    case .enterGuest: self = .guest
    case .wait, .signal, .log, .yield, .exit, .stopDomain, .restartDomain: self = .all
    }
  }
}

extension Core {
  /// Does what the thread asked for and leaves the answer in its registers.
  mutating func handleSystemCall(of index: Int, _ kernel: Kernel) -> CallScope {
    kernel.domains[index].status.value.systemCalls &+= 1
    let arguments = Arguments(kernel.threads[index].frame)
    guard let call = SystemCall(rawValue: kernel.threads[index].frame.rax) else {
      kernel.threads[index].answer(.unknownCall)
      return .own
    }
    do throws(Status) {
      if let value = try perform(call, arguments, for: index, kernel) { kernel.threads[index].answer(.ok, value) }
    } catch {
      kernel.threads[index].answer(error)
    }
    return CallScope(call)
  }

  /// - Returns: The call's value; `nil` if it is answered later, or by the domain's end.
  private mutating func perform(
    _ call: SystemCall, _ arguments: Arguments, for index: Int, _ kernel: Kernel
  ) throws(Status) -> UInt64? {
    switch call {
    case .wait: return wait(index, kernel)
    case .signal: return try signal(arguments, from: index, kernel)
    case .enterGuest: return try enterGuest(index, kernel)
    case .setTimer:
      setDeadline(arguments.first, of: index, kernel)
      if arguments.first != 0 { timer.arm(arguments.first, now: cx86_rdtsc(), .early) }
      return 0
    case .acknowledgeInterrupt: return try acknowledge(arguments, from: index, kernel)
    case .portIn, .portOut: return try accessPort(call, arguments, from: index, kernel)
    case .log: return try log(arguments, from: index, kernel)
    case .yield:
      sendToEnd(index, kernel)
      return 0
    case .exit: return try exit(arguments, index, kernel)
    case .stopDomain: return try control(.stop, arguments, from: index, kernel)
    case .restartDomain: return try control(.restart, arguments, from: index, kernel)
    case .readConfiguration, .writeConfiguration, .mapDevice, .selectInterrupts, .setMessage, .resetDevice:
      return try callDevice(call, arguments, from: index, kernel)
    case .post: return try post(arguments, from: index, kernel)
    }
  }

  private mutating func wait(_ index: Int, _ kernel: Kernel) -> UInt64? {
    kernel.threads[index].needsWake.store(true, ordering: .sequentiallyConsistent)
    let taken = kernel.threads[index].takeNotifications()
    guard taken.isEmpty else {
      kernel.threads[index].needsWake.store(false, ordering: .sequentiallyConsistent)
      return taken.rawValue
    }
    setState(.waiting, of: index, kernel)
    return nil
  }

  private func signal(_ arguments: Arguments, from index: Int, _ kernel: Kernel) throws(Status) -> UInt64 {
    guard arguments.first < UInt64(Notifications.channelCount) else { throw .badArgument }
    guard let end = kernel.domains[index].channels[arguments.first.clamped(below: Notifications.channelCount)] else {
      throw .notAllowed
    }
    kernel.raise(end.notification, for: end.thread, from: self.index)
    return 0
  }

  private func post(_ arguments: Arguments, from index: Int, _ kernel: Kernel) throws(Status) -> UInt64 {
    guard arguments.first < UInt64(Notifications.channelCount), arguments.second < UInt64(PostedMessages.capacity)
    else { throw .badArgument }
    guard let end = kernel.domains[index].channels[arguments.first.clamped(below: Notifications.channelCount)] else {
      throw .notAllowed
    }
    return kernel.post(message: Int(arguments.second), to: end) ? 1 : 0
  }

  private mutating func enterGuest(_ index: Int, _ kernel: Kernel) throws(Status) -> UInt64? {
    guard let number = kernel.threads[index].virtualCPU else { throw .notAllowed }
    try kernel.virtualCPUs[number].check()
    kernel.threads[index].mode = .guest
    setDeadline(kernel.virtualCPUs[number].state.value.deadline, of: index, kernel)
    let end = kernel.virtualCPUs[number].state.value.sleepUntil
    if end == 0 {
      kernel.virtualCPUs[number].load()
    } else {
      setSleep(until: end, slack: kernel.virtualCPUs[number].state.value.sleepSlack, of: index, kernel)
      kernel.threads[index].needsWake.store(true, ordering: .sequentiallyConsistent)
      setState(.waiting, of: index, kernel)
    }
    return nil
  }

  private func acknowledge(
    _ arguments: Arguments, from index: Int, _ kernel: Kernel
  ) throws(Status) -> UInt64 {
    guard arguments.first < UInt64(Notifications.interruptCount) else { throw .badArgument }
    guard let number = kernel.domains[index].lines[arguments.first.clamped(below: Notifications.interruptCount)] else {
      throw .notAllowed
    }
    kernel.acknowledge(line: number)
    return 0
  }

  private func accessPort(
    _ call: SystemCall, _ arguments: Arguments, from index: Int, _ kernel: Kernel
  ) throws(Status) -> UInt64 {
    let width = arguments.second
    guard width == 1 || width == 2 || width == 4 else { throw .badArgument }
    guard
      kernel.domains[index].mayUse(port: arguments.first, width: width)
        || kernel.ownsPorts(arguments.first, width: width, index)
    else { throw .notAllowed }
    let port = UInt16(truncatingIfNeeded: arguments.first)
    let value = UInt32(truncatingIfNeeded: arguments.third)
    switch (call, width) {
    case (.portIn, 1): return UInt64(cx86_in8(port))
    case (.portIn, 2): return UInt64(cx86_in16(port))
    case (.portIn, _): return UInt64(cx86_in32(port))
    case (_, 1): cx86_out8(port, UInt8(truncatingIfNeeded: value))
    case (_, 2): cx86_out16(port, UInt16(truncatingIfNeeded: value))
    default: cx86_out32(port, value)
    }
    return 0
  }

  private func log(_ arguments: Arguments, from index: Int, _ kernel: Kernel) throws(Status) -> UInt64 {
    guard arguments.second <= UInt64(LogLine.capacity) else { throw .badArgument }
    guard let level = LogLevel(rawValue: UInt8(truncatingIfNeeded: arguments.third)) else { throw .badArgument }
    var line = LogLine()
    for offset in 0..<arguments.second {
      guard let byte = kernel.domains[index].readByte(arguments.first &+ offset) else { throw .badAddress }
      line.append(byte: 0x20...0x7e ~= byte ? byte : 0x3f)
    }
    kernelLog.add(
      level, line, source: UInt16(truncatingIfNeeded: index), name: kernel.domains[index].name)
    return 0
  }

  private mutating func exit(
    _ arguments: Arguments, _ index: Int, _ kernel: Kernel
  ) throws(Status) -> UInt64? {
    guard let intent = ExitIntent(rawValue: arguments.first) else { throw .badArgument }
    switch intent {
    case .powerOff: stop(index, .stopped, kernel)
    case .restart: start(index, kernel)
    case .crash:
      reportExits(of: index, kernel)
      fail(index, kernel)
    }
    return nil
  }

  private mutating func control(
    _ request: ThreadRequests, _ arguments: Arguments, from index: Int, _ kernel: Kernel
  ) throws(Status) -> UInt64? {
    guard kernel.domains[index].traits.contains(.controlsDomains) else { throw .notAllowed }
    guard arguments.first < UInt64(kernel.domains.count) else { throw .badArgument }
    kernel.threads[index].answer(.ok)
    kernel.request(request, of: arguments.first.clamped(below: kernel.domains.count), from: self.index)
    return nil
  }
}

/// The arguments of a system call.
struct Arguments {
  let first: UInt64
  let second: UInt64
  let third: UInt64

  init(_ frame: cx86_frame) {
    first = frame.rdi
    second = frame.rsi
    third = frame.rdx
  }
}

extension Domain {
  /// Where an address of the domain's program, stack or workspace leads: not one of what it shares with others, of a guest
  /// or of a device.
  private func place(ofOwn address: UInt64) -> PhysicalAddress? {
    guard address < AddressMap.end else { return nil }
    return space.translate(address, requiring: .user, ofPage: .own)
  }

  /// A byte of the domain's own memory.
  func readByte(_ address: UInt64) -> UInt8? {
    guard let place = place(ofOwn: address) else { return nil }
    // SAFETY: the page is one of those that the kernel gave the domain for its own, and the direct map holds them.
    return unsafe DirectMap.pointer(place).load(as: UInt8.self)
  }

  /// A word of the domain's own memory, if it lies on a border of eight.
  func readWord(_ address: UInt64) -> UInt64? {
    guard address.isAligned(to: 8), let place = place(ofOwn: address) else { return nil }
    // SAFETY: as in `readByte`; an aligned word lies in one page.
    return unsafe DirectMap.pointer(place).load(as: UInt64.self)
  }
}
