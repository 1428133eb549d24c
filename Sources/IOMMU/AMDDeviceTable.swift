// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What each of the 65536 possible devices may do (AMD I/O Virtualization 3.08, §2.2.2): an entry of four words.
///
/// An entry that is not valid lets everything through. So each one is valid from the start: of no domain, with tables that
/// map nothing, and with no interrupts.
struct AMDDeviceTable: Sendable {
  /// 2 MiB.
  static var size: UInt64 { 65536 * AMDEntry.size }

  let table: PhysicalAddress
  /// The first word of a device that belongs to nobody.
  private let nobody: UInt64

  init<H: RemappingHost & ~Copyable>(_ form: TableForm, _ host: inout H) throws(IOMMUError) {
    table = try host.pages(Int(Self.size / 4096))
    nobody = AMDEntry.translation(try host.pages().value, levels: form.levels)
    for device in UInt16.min ... .max {
      host.write(nobody, at: place(device))
      host.write(AMDEntry.remapsInterrupts, at: place(device) + 16)
    }
  }

  /// Lets the messages of an interrupt controller through as they are: this program remaps none of them.
  func passInterrupts<H: RemappingHost & ~Copyable>(of controller: UInt16, _ settings: UInt8, _ host: borrowing H) {
    host.write(AMDEntry.controller(settings), at: place(controller) + 16)
  }

  /// Whether the device belongs to a domain.
  func isAttached<H: RemappingHost & ~Copyable>(_ device: UInt16, _ host: borrowing H) -> Bool {
    host.read(place(device)) != nobody
  }

  /// The domain it belongs to; 0 for none.
  func domain<H: RemappingHost & ~Copyable>(of device: UInt16, _ host: borrowing H) -> UInt16 {
    UInt16(truncatingIfNeeded: host.read(place(device) + 8) & AMDEntry.domain)
  }

  /// Gives a blocked device a domain's tables, and a table of interrupts; without one its messages go through as they
  /// are. The word that lets it through comes last.
  func attach<H: RemappingHost & ~Copyable>(
    _ device: UInt16, to domain: DMADomain, _ interrupts: AMDInterrupts?, _ host: borrowing H
  ) {
    let entry = place(device)
    host.write(interrupts.map { $0.table.value | AMDEntry.interruptForm } ?? 0, at: entry + 16)
    host.write(UInt64(domain.number), at: entry + 8)
    let tables = AMDEntry.translation(domain.table.root.value, levels: domain.table.form.levels)
    host.write(tables | AMDEntry.rights, at: entry)
  }

  /// Takes all memory and interrupts from a device; the page of its interrupts is kept for the next time.
  func block<H: RemappingHost & ~Copyable>(_ device: UInt16, _ host: borrowing H) {
    let entry = place(device)
    host.write(nobody, at: entry)
    host.write(host.read(entry + 16) & AMDEntry.interruptRoot | AMDEntry.remapsInterrupts, at: entry + 16)
    host.write(0, at: entry + 8)
  }

  /// Keeps refused requests and interrupts of a device from being recorded, or no longer.
  func silence<H: RemappingHost & ~Copyable>(_ device: UInt16, _ isSilent: Bool, _ host: borrowing H) {
    set(AMDEntry.noFaults, isSilent, at: place(device) + 8, host)
    set(AMDEntry.noInterruptFaults, isSilent, at: place(device) + 16, host)
  }

  private func set<H: RemappingHost & ~Copyable>(
    _ bits: UInt64, _ isOn: Bool, at place: PhysicalAddress, _ host: borrowing H
  ) {
    host.write(host.read(place) & ~bits | (isOn ? bits : 0), at: place)
  }

  /// The table of a device's interrupts, once it was attached.
  func interrupts<H: RemappingHost & ~Copyable>(of device: UInt16, _ host: borrowing H) -> AMDInterrupts? {
    let root = host.read(place(device) + 16) & AMDEntry.interruptRoot
    return root != 0 ? AMDInterrupts(table: PhysicalAddress(root)) : nil
  }

  private func place(_ device: UInt16) -> PhysicalAddress { table + UInt64(device) * AMDEntry.size }
}

/// The interrupts that one device may raise: 256 entries of 4 bytes (§2.2.5.1). An entry of zeros is free.
struct AMDInterrupts {
  /// More would need bits of a message that also say how it is delivered.
  static var capacity: Int { 256 }
  /// In an entry that is taken, for it has a vector.
  private static var isOn: UInt64 { 1 }
  /// Refused without a record (SupIOPF).
  private static var noFaults: UInt64 { 2 }

  let table: PhysicalAddress

  func free<H: RemappingHost & ~Copyable>(_ host: borrowing H) throws(IOMMUError) -> Int {
    for index in 0..<Self.capacity where read(index, host) == 0 { return index }
    throw .noFreeInterrupt
  }

  /// Sets entry `index`: physical destination in bits 8 to 15, vector in 16 to 23, fixed delivery.
  func set<H: RemappingHost & ~Copyable>(
    _ index: Int, to target: InterruptTarget?, _ host: borrowing H
  ) throws(IOMMUError) {
    guard let target else { return store(read(index, host) & ~Self.isOn, at: index, host) }
    guard target.apicID < 0xff else { throw .coreOutOfReach }
    store(Self.isOn | UInt64(target.apicID) << 8 | UInt64(target.vector) << 16, at: index, host)
  }

  /// Lets all of them arrive, or refuses them without a record.
  func admit<H: RemappingHost & ~Copyable>(_ isAdmitted: Bool, _ host: borrowing H) {
    let (old, new) = isAdmitted ? (Self.noFaults, Self.isOn) : (Self.isOn, Self.noFaults)
    for index in 0..<Self.capacity {
      let entry = read(index, host)
      if entry & old != 0 { store(entry & ~old | new, at: index, host) }
    }
  }

  func clear<H: RemappingHost & ~Copyable>(_ index: Int, _ host: borrowing H) { store(0, at: index, host) }

  private func read<H: RemappingHost & ~Copyable>(_ index: Int, _ host: borrowing H) -> UInt64 {
    host.read(place(index)).bits(index & 1 == 0 ? 0 : 32, count: 32)
  }

  private func store<H: RemappingHost & ~Copyable>(_ entry: UInt64, at index: Int, _ host: borrowing H) {
    let shift: UInt64 = index & 1 == 0 ? 0 : 32
    let other = host.read(place(index)) & ~(0xffff_ffff << shift)
    host.write(other | entry << shift, at: place(index))
  }

  private func place(_ index: Int) -> PhysicalAddress { table + UInt64((index & (Self.capacity - 1)) / 2) * 8 }
}
