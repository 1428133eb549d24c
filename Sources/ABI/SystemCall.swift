// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What a component can ask of the kernel: number in rax, arguments in rdi, rsi, rdx.
///
/// The kernel answers with a `Status` in rax and a value in rdx; it changes no other register but rcx and r11.
package enum SystemCall: UInt64, Sendable {
  /// Sleeps until a notification is pending; takes them all. → the `Notifications` taken
  case wait = 0
  /// Raises the other end's notification of channel `rdi`.
  case signal = 1
  /// Runs the vCPU until an exit that its VMM must see, or a notification. → the `Notifications` taken, may be none
  case enterGuest = 2
  /// Raises `Notifications.timer` once the time-stamp counter reaches `rdi`; 0 cancels.
  case setTimer = 3
  /// Lets the interrupt of slot `rdi` fire again.
  case acknowledgeInterrupt = 4
  /// Reads port `rdi`, `rsi` bytes wide (1, 2 or 4). → the value
  case portIn = 5
  /// Writes `rdx` to port `rdi`, `rsi` bytes wide (1, 2 or 4).
  case portOut = 6
  /// Adds the `rsi` bytes of text at `rdi` to the system's log, at `LogLevel` `rdx`.
  case log = 7
  /// Lets other threads of the same priority run.
  case yield = 8
  /// Ends this domain; `rdi` is an `ExitIntent`.
  case exit = 9
  /// Stops domain `rdi`; only for a domain that controls others.
  case stopDomain = 10
  /// Starts domain `rdi` anew from its pristine image, running or not; only for a domain that controls others.
  case restartDomain = 11

  // For a VMM, on device `rdi` (0 to 3) of its guest, which must be there:
  /// Reads configuration space at offset `rsi`, `rdx` bytes wide (1, 2 or 4). → the value
  case readConfiguration = 12
  /// Writes `rdx` to the 16-bit register of configuration space at offset `rsi`. Only bits that concern nobody but this
  /// device change.
  case writeConfiguration = 13
  /// Puts base address `rsi` at guest address `rdx`, inside `PassedDevice.window`; 0 takes it away.
  case mapDevice = 14
  /// Lets the device send interrupts as `rsi`, a `PassedDelivery`, says, and no others.
  case selectInterrupts = 15
  /// Lets message `rsi` through if `rdx` is 1, or masks it if it is 0.
  case setMessage = 16
  /// Resets the device, in several calls. → when to call again, in ticks; 0 when it is done
  case resetDevice = 17

  /// Has the guest at the other end of channel `rdi` take the interrupt of message `rsi` (0 to 3), if it runs on another
  /// core and its VMM said by which vector (`PostedMessages`). → 1 if it does; 0 if its VMM is to be told instead
  case post = 18
}

/// The kernel's answer to a system call.
package enum Status: UInt64, Error, Sendable {
  case ok = 0
  case unknownCall = 1
  /// A value is outside what the call allows.
  case badArgument = 2
  /// The domain has no right to this.
  case notAllowed = 3
  /// Memory the domain named is not its own.
  case badAddress = 4
  /// The device did not do what was asked of it.
  case deviceFailed = 5
}

/// Why a component ends itself.
package enum ExitIntent: UInt64, Sendable {
  /// Its work is done (a guest powered off): stay stopped.
  case powerOff = 0
  /// Start again from the pristine image (a guest rebooted).
  case restart = 1
  /// It cannot go on (a guest failed): do what the description's `on-crash` says.
  case crash = 2
}

/// How urgent a line of the log is.
package enum LogLevel: UInt8, Sendable {
  case debug = 0
  case information = 1
  case warning = 2
  case error = 3
}
