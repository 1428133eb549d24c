// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Which device belongs to which domain: a root table with an entry for each bus, context tables with one for each
/// device and function (VT-d 4.1, §3.4.2).
extension IntelUnit {
  /// Gives `device` the tables of a domain; from then on it reaches what is mapped there.
  func attach<H: RemappingHost & ~Copyable>(
    _ device: FunctionAddress, to domain: UInt16, _ table: TranslationTable, _ host: inout H
  ) throws(IOMMUError) {
    try block(device, silently: false, host)
    let place = try makeContext(of: device, &host)
    store(IntelEntry.context(levels: table.form.levels, domain: domain), at: place + 8, host)
    store(table.root.value | IntelEntry.present, at: place, host)
    try forget(device, domain, host)
  }

  /// Takes `device` out of its domain; it reaches nothing from then on. `silently`: nor is it recorded.
  func block<H: RemappingHost & ~Copyable>(
    _ device: FunctionAddress, silently: Bool, _ host: borrowing H
  ) throws(IOMMUError) {
    guard let place = context(of: device, host) else { return }
    let domain = IntelEntry.domain(ofContext: host.read(place + 8))
    store(silently ? IntelEntry.noFaults : 0, at: place, host)
    try forget(device, domain, host)
    store(0, at: place + 8, host)
  }

  /// Whether `device` belongs to a domain.
  func isAttached<H: RemappingHost & ~Copyable>(_ device: FunctionAddress, _ host: borrowing H) -> Bool {
    context(of: device, host).map { host.read($0) & IntelEntry.present != 0 } ?? false
  }

  /// Keeps refused requests of `device` from being recorded, or no longer.
  func silence<H: RemappingHost & ~Copyable>(
    _ device: FunctionAddress, _ isSilent: Bool, _ host: inout H
  ) throws(IOMMUError) {
    let place = try makeContext(of: device, &host)
    let entry = host.read(place) & ~IntelEntry.noFaults
    store(entry | (isSilent ? IntelEntry.noFaults : 0), at: place, host)
    try forget(device, IntelEntry.domain(ofContext: host.read(place + 8)), host)
  }

  /// Contexts first, then what was translated by them (§6.2.2.1).
  private func forget<H: RemappingHost & ~Copyable>(
    _ device: FunctionAddress, _ domain: UInt16, _ host: borrowing H
  ) throws(IOMMUError) {
    try invalidate(host, IntelDescriptor.context(of: device.requester, in: domain))
    try invalidate(host, draining(IntelDescriptor.translations(of: domain)))
  }

  private func makeContext<H: RemappingHost & ~Copyable>(
    of device: FunctionAddress, _ host: inout H
  ) throws(IOMMUError) -> PhysicalAddress {
    if let place = context(of: device, host) { return place }
    let table = try host.pages()
    if !extensions.contains(.coherent) { host.flush(table, count: 4096) }
    store(table.value | IntelEntry.present, at: rootEntry(of: device), host)
    return table + UInt64(device.requester & 0xff) * 16
  }

  /// `nil` if no device of its bus was ever attached.
  private func context<H: RemappingHost & ~Copyable>(
    of device: FunctionAddress, _ host: borrowing H
  ) -> PhysicalAddress? {
    let entry = host.read(rootEntry(of: device))
    guard entry & IntelEntry.present != 0 else { return nil }
    return PhysicalAddress(entry & IntelEntry.address) + UInt64(device.requester & 0xff) * 16
  }

  private func rootEntry(of device: FunctionAddress) -> PhysicalAddress { root + UInt64(device.bus) * 16 }

  private func store<H: RemappingHost & ~Copyable>(_ word: UInt64, at place: PhysicalAddress, _ host: borrowing H) {
    host.write(word, at: place)
    if !extensions.contains(.coherent) { host.flush(place, count: 8) }
  }
}
