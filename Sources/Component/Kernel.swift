// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
package import Bits
import CX86

/// The kernel as a component sees it: one typed function for each system call.
///
/// A call that the kernel refuses with `notAllowed` or `badArgument` is a mistake in the component; those that can be
/// refused for what others did throw.
package enum Kernel {
  /// Sleeps until a notification is pending; takes them all.
  package static func wait() -> Notifications { Notifications(rawValue: call(.wait).value) }

  /// Raises the other end's notification of channel `slot`.
  package static func signal(channel slot: Int) { _ = call(.signal, UInt64(slot)) }

  /// Interrupts the guest at the other end of channel `slot` for those of `events` that it can take without its VMM.
  /// - Returns: The rest, which its VMM is to be told.
  package static func post(_ events: DeviceEvents, channel slot: Int) -> DeviceEvents {
    guard Mapped<SystemInformation>.information.value.postsInterrupts != 0 else { return events }
    var rest = events
    for queue in 0..<PostedMessages.capacity where events.contains(.queue(queue)) {
      if call(.post, UInt64(slot), UInt64(queue)).value == 1 { rest.remove(.queue(queue)) }
    }
    return rest
  }

  /// Runs the vCPU until an exit or a notification.
  /// - Throws: if the vCPU's state asks for what the machine has not.
  package static func enterGuest() throws(Status) -> Notifications {
    Notifications(rawValue: try check(call(.enterGuest)))
  }

  /// Raises `Notifications.timer` at `tick` of the time-stamp counter; 0 for never.
  package static func setTimer(atTick tick: UInt64) { _ = call(.setTimer, tick) }

  /// Lets the device interrupt of `slot` fire again.
  package static func acknowledgeInterrupt(slot: Int) { _ = call(.acknowledgeInterrupt, UInt64(slot)) }

  package static func portIn(_ port: UInt16) -> UInt8 {
    UInt8(truncatingIfNeeded: call(.portIn, UInt64(port), 1).value)
  }

  package static func portOut(_ port: UInt16, _ value: UInt8) { _ = call(.portOut, UInt64(port), 1, UInt64(value)) }

  /// Adds a line to the system's log.
  package static func log(_ level: LogLevel = .information, _ line: LogLine) {
    // SAFETY: the bytes live until the call returns, and the kernel reads no more than `count` of them.
    unsafe withUnsafePointer(to: line.bytes) {
      _ = call(.log, UInt64(UInt(bitPattern: $0)), UInt64(line.count), UInt64(level.rawValue))
    }
  }

  /// Lets others of the same priority run.
  package static func yield() { _ = call(.yield) }

  /// Ends this component.
  package static func exit(_ intent: ExitIntent) -> Never {
    while true { _ = call(.exit, intent.rawValue) }
  }

  /// Stops a domain.
  package static func stop(domain: Int) throws(Status) { _ = try check(call(.stopDomain, UInt64(domain))) }

  /// Starts a domain anew.
  package static func restart(domain: Int) throws(Status) { _ = try check(call(.restartDomain, UInt64(domain))) }

  @inline(__always)
  static func call(
    _ number: SystemCall, _ first: UInt64 = 0, _ second: UInt64 = 0, _ third: UInt64 = 0
  ) -> cx86_answer {
    if Mapped<SystemInformation>.information.value.callsByGate {
      return cx86_gate_call(number.rawValue, first, second, third)
    }
    return cx86_system_call(number.rawValue, first, second, third)
  }

  private static func check(_ answer: cx86_answer) throws(Status) -> UInt64 {
    let status = Status(rawValue: answer.status) ?? .badArgument
    guard status == .ok else { throw status }
    return answer.value
  }
}
