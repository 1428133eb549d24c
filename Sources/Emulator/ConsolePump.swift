// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// How a session at the console ended.
package enum SessionEnd: Equatable, Sendable {
  /// The machine powered off, or the emulator ended.
  case machineEnded
  /// The person typed the quit key.
  case quit
  /// This process was told to end.
  case signalled(Int32)
}

/// Carries bytes between a person's terminal and the machine's console, until one of them goes.
///
/// What the machine has not yet taken is kept, and the keyboard not read until it has: nothing is lost, and a machine
/// that takes no input still shows its output.
struct ConsolePump {
  let keyboard: Descriptor
  let screen: Descriptor
  /// Does not block.
  let machine: Descriptor
  /// A byte here is the number of a signal that tells this process to end.
  let signals: Descriptor

  func run() -> SessionEnd {
    var pending: ArraySlice<UInt8> = []
    var isTyping = true
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let ready = Descriptor.poll([
        (machine, Int16(POLLIN | (pending.isEmpty ? 0 : POLLOUT))),
        (keyboard, Int16(isTyping && pending.isEmpty ? POLLIN : 0)),
        (signals, Int16(POLLIN)),
      ])
      if ready[2], case .bytes = signals.read(into: &buffer) { return .signalled(Int32(buffer[0])) }
      if ready[0] {
        switch machine.read(into: &buffer) {
        case .bytes(let count): guard screen.writeAll(buffer[..<count]) else { return .quit }
        case .notNow: break
        case .ended: return .machineEnded
        }
      }
      if ready[1] {
        switch keyboard.read(into: &buffer) {
        case .bytes(let count):
          let typed = KeyboardFilter(buffer[..<count])
          if typed.wantsToQuit { return .quit }
          pending = ArraySlice(Array(typed.forwarded))
        case .notNow: break
        case .ended: isTyping = false
        }
      }
      if !pending.isEmpty, case .bytes(let count) = machine.write(pending) { pending = pending.dropFirst(count) }
    }
  }
}
