// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The serial port that firmware itself has its console on, as the SPCR says (Microsoft, Serial Port Console Redirection
/// Table, 1.10).
package struct SerialRedirection: Equatable, Sendable {
  /// The first of a 16550's eight I/O ports; `nil` for a port that is memory, or of another kind.
  package let port: UInt16?
  /// Its ISA interrupt; `nil` where it has none.
  package let interrupt: UInt8?

  package init<M: PhysicalMemory & ~Copyable>(
    _ tables: borrowing SystemTables, in memory: borrowing M
  ) throws(ACPIError) {
    let range = try tables.find(.spcr, in: memory)
    guard let table = memory.bytes(at: range.start, count: range.size) else { throw ACPIError(.spcr, .unreadable) }
    guard let read = Self(table) else { throw ACPIError(.spcr, .badLength) }
    self = read
  }

  /// - Parameter table: All of the table, from its signature on; `nil` if it is too short.
  package init?(_ table: RawSpan) {
    guard let kind = table.load(36, as: UInt8.self) else { return nil }
    let interrupts = table.load(52, as: UInt8.self) ?? 0
    let irq = table.load(53, as: UInt8.self) ?? 0
    // 0 is a 16550, 1 the same without its FIFO's one bit; both with registers of a byte, one beside the other.
    let register = RegisterAddress(at: 40, in: table)
    port = kind <= 1 ? register?.port.flatMap { $0 >= 0x100 && $0 <= 0xfff8 ? $0 : nil } : nil
    interrupt = interrupts & 1 != 0 && (1..<16).contains(irq) ? irq : nil
  }
}
