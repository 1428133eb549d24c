// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The registers of a controller, or of what a test puts in its place. Any answer is a claim.
package protocol RegisterSpace {
  /// The word at `offset`, a multiple of 4.
  func read(_ offset: Int) -> UInt32
  /// Changes the word at `offset`, a multiple of 4.
  func write(_ value: UInt32, at offset: Int)
}

/// The name of a register of the whole controller, with the type of what it holds.
struct HostRegister<Word: Flags> where Word.RawValue == UInt32 {
  let offset: Int
}

/// The name of a register of one port, with the type of what it holds.
struct PortRegister<Word: Flags> where Word.RawValue == UInt32 {
  let offset: Int
}

extension RegisterSpace {
  subscript<Word>(_ register: HostRegister<Word>) -> Word {
    get { Word(rawValue: read(register.offset)) }
    nonmutating set { write(newValue.rawValue, at: register.offset) }
  }
}

/// The registers of one port.
struct PortSpace<Registers: RegisterSpace> {
  let registers: Registers
  let number: Int

  private var base: Int { HostLayout.ports + number * HostLayout.portStride }

  subscript<Word>(_ register: PortRegister<Word>) -> Word {
    get { Word(rawValue: registers.read(base + register.offset)) }
    nonmutating set { registers.write(newValue.rawValue, at: base + register.offset) }
  }

  /// Changes bits of the port's command word; those that start an action when written are left alone.
  func change(inserting new: PortCommand = .none, removing old: PortCommand = .none) {
    var command = self[.command]
    command.remove(.actions | old)
    command.insert(new)
    self[.command] = command
  }

  /// Forgets all errors and changes of the link; what mirrors them in the interrupt status goes with them.
  func clearErrors() { self[.errors] = PortErrors(rawValue: .max) }

  /// Forgets all causes of interrupts.
  func clearInterrupts() { self[.interruptStatus] = PortInterrupts(rawValue: .max) }

  /// Whether the engine that reads the command list has come to rest.
  var isStopped: Bool { !self[.command].contains(.running) }

  /// Whether a drive is there and answers (§3.3.10).
  var isLinked: Bool { self[.linkStatus].detection == .established }
}
