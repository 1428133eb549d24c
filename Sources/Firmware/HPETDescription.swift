// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// The high-precision event timer's registers (IA-PC HPET 1.0a, §3.2.4).
package struct HPETDescription: Equatable, Sendable {
  package let address: PhysicalAddress

  /// Reads the HPET table.
  package init<M: PhysicalMemory & ~Copyable>(
    _ tables: borrowing SystemTables, in memory: borrowing M
  ) throws(ACPIError) {
    let range = try tables.find(.hpet, in: memory)
    guard let table = memory.bytes(at: range.start, count: range.size) else { throw ACPIError(.hpet, .unreadable) }
    guard table.byteCount >= 56 else { throw ACPIError(.hpet, .badLength) }
    guard let register = RegisterAddress(at: 40, in: table), register.space == .memory,
      register.address.isAligned(to: 1 * .KiB), fits(register.address, count: 1 * .KiB, in: MemoryMap.end)
    else { throw ACPIError(.hpet, .badAddress) }
    address = PhysicalAddress(register.address)
  }
}
