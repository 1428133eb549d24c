// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
package import Firmware
package import PCI

/// Why a function cannot send a message.
package enum MessageProblem: Error, Equatable, Sendable {
  /// The function has no such capability.
  case missing
  /// The table has no such vector.
  case noSuchVector
  /// The function only knows addresses below 4 GiB.
  case addressTooHigh
  /// The table lies where it cannot be written.
  case outOfReach
}

/// The way to a device's registers in memory.
package protocol DeviceMemory {
  /// Writes a register; one that cannot be written is an error.
  func write32(_ value: UInt32, at address: PhysicalAddress) throws(MessageProblem)
}

// MARK: - The command register

extension PCIFunction {
  /// Changes what the function may do: answer, be master of the bus, raise INTx.
  package func change<A: ConfigurationAccess>(
    inserting new: PCICommand = .none, removing old: PCICommand = .none, in access: A
  ) {
    access.change16(
      address, Register.command, set: UInt16(truncatingIfNeeded: new.rawValue),
      clear: UInt16(truncatingIfNeeded: old.rawValue))
  }

  /// Whether the function may be master of the bus.
  func isMaster<A: ConfigurationAccess>(in access: A) -> Bool {
    access.read16(address, Register.command) & UInt16(truncatingIfNeeded: PCICommand.busMaster.rawValue) != 0
  }

  /// Whether the function wants an interrupt at its pin (PCI Express 6.0, §7.5.1.1.4, bit 3).
  package func wantsInterrupt<A: ConfigurationAccess>(in access: A) -> Bool {
    access.read16(address, Register.status) & 1 << 3 != 0
  }

  /// Keeps the function from raising INTx, and from sending messages of any kind.
  package func silence<A: ConfigurationAccess>(in access: A) {
    change(inserting: .interruptDisable, in: access)
    if let messages = capabilities.messages {
      access.change16(address, messages.offset + MSIRegister.control, clear: MSIRegister.enable)
    }
    if let table = capabilities.messageTable {
      access.change16(address, table.offset + MSIXRegister.control, clear: MSIXRegister.enable)
    }
  }
}

// MARK: - MSI

extension PCIFunction {
  /// Makes the function send this one message, by MSI, in the place of all its interrupts.
  package func enableMessage<A: ConfigurationAccess>(
    _ message: InterruptMessage, in access: A
  ) throws(MessageProblem) {
    guard let messages = capabilities.messages else { throw .missing }
    guard messages.isWide || message.address >> 32 == 0 else { throw .addressTooHigh }
    silence(in: access)
    let place = messages.offset + MSIRegister.address
    access.write32(UInt32(truncatingIfNeeded: message.address), to: address, place)
    if messages.isWide { access.write32(UInt32(truncatingIfNeeded: message.address >> 32), to: address, place + 4) }
    let data = place + (messages.isWide ? 8 : 4)
    access.write16(UInt16(truncatingIfNeeded: message.data), to: address, data)
    if messages.canMask { access.write32(0, to: address, data + 4) }
    access.change16(
      address, messages.offset + MSIRegister.control, set: MSIRegister.enable, clear: MSIRegister.enabledCount)
  }
}

// MARK: - MSI-X

extension PCIFunction {
  /// Where the table of messages is, if there is one.
  package var messageTablePlace: PhysicalRange? {
    guard let table = capabilities.messageTable else { return nil }
    let start = PhysicalAddress(ranges[table.tableRange].address) + table.tableOffset
    return PhysicalRange(start: start, size: UInt64(table.count) * 16)
  }

  /// Where the table entry of `vector` is.
  package func place(ofVector vector: Int) throws(MessageProblem) -> PhysicalAddress {
    guard let table = capabilities.messageTable else { throw .missing }
    guard vector >= 0, vector < table.count else { throw .noSuchVector }
    // That the table lies inside its range was checked as it was read.
    return PhysicalAddress(ranges[table.tableRange].address) + table.tableOffset + UInt64(vector) * 16
  }

  /// Switches MSI-X on with all vectors masked; the function must decode its memory.
  package func enableMessageTable<A: ConfigurationAccess, D: DeviceMemory>(
    in access: A, _ memory: D
  ) throws(MessageProblem) {
    guard let table = capabilities.messageTable else { throw .missing }
    silence(in: access)
    let control = table.offset + MSIXRegister.control
    access.change16(address, control, set: MSIXRegister.enable | MSIXRegister.maskAll)
    do throws(MessageProblem) {
      for vector in 0..<table.count { try memory.write32(1, at: try place(ofVector: vector) + 12) }
    } catch {
      silence(in: access)
      throw error
    }
    access.change16(address, control, clear: MSIXRegister.maskAll)
  }

  /// Sets what `vector` sends, masked while it changes (PCI Express 6.0, §6.1.4.2); `nil` leaves it masked.
  package func setMessage<D: DeviceMemory>(
    _ message: InterruptMessage?, ofVector vector: Int, _ memory: D
  ) throws(MessageProblem) {
    let place = try place(ofVector: vector)
    try memory.write32(1, at: place + 12)
    guard let message else { return }
    try memory.write32(UInt32(truncatingIfNeeded: message.address), at: place)
    try memory.write32(UInt32(truncatingIfNeeded: message.address >> 32), at: place + 4)
    try memory.write32(message.data, at: place + 8)
    try memory.write32(0, at: place + 12)
  }

  /// Makes the function send `message` for vector 0, by MSI-X or else by MSI; nothing else raises an interrupt.
  package func enableFirstMessage<A: ConfigurationAccess, D: DeviceMemory>(
    _ message: InterruptMessage, in access: A, _ memory: D
  ) throws(MessageProblem) {
    guard capabilities.messageTable != nil else { return try enableMessage(message, in: access) }
    try enableMessageTable(in: access, memory)
    try setMessage(message, ofVector: 0, memory)
  }
}
