// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import PCI

/// The table of all interrupts that may be raised, one for all units (VT-d 4.1, §5.1). An entry of zeros is free.
struct IntelInterrupts: Sendable {
  /// Entries of 16 bytes.
  static var capacity: Int { 1024 }

  let table: PhysicalAddress
  /// Whether cores' numbers have 32 bits.
  let isLong: Bool
  let isCoherent: Bool

  init<H: RemappingHost & ~Copyable>(isLong: Bool, isCoherent: Bool, _ host: inout H) throws(IOMMUError) {
    self.isLong = isLong
    self.isCoherent = isCoherent
    table = try host.pages(4)
    if !isCoherent { host.flush(table, count: UInt64(Self.capacity) * 16) }
  }

  /// As the register wants it: 2^(9 + 1) entries.
  var register: UInt64 { table.value | 9 | (isLong ? 1 << 11 : 0) }

  /// The first free entry.
  func free<H: RemappingHost & ~Copyable>(_ host: borrowing H) throws(IOMMUError) -> Int {
    for index in 0..<Self.capacity where host.read(place(index) + 8) == 0 { return index }
    throw .noFreeInterrupt
  }

  /// Sets entry `index`; without a target it stays its owner's, and refuses.
  func set<H: RemappingHost & ~Copyable>(
    _ index: Int, from requester: UInt16, to target: InterruptTarget?, _ host: borrowing H
  ) throws(IOMMUError) {
    let entry = try target.map { target throws(IOMMUError) in try word(target) } ?? 0
    // The upper half first: only with the lower does the entry count.
    store(IntelEntry.interruptSource(requester), at: place(index) + 8, host)
    store(entry, at: place(index), host)
  }

  /// Lets what `requester` sends arrive, or refuses it without a record: what is refused by an entry that says so is not
  /// recorded (§9.9: FPD). Whoever calls has the units forget all entries.
  func admit<H: RemappingHost & ~Copyable>(_ requester: UInt16, _ isAdmitted: Bool, _ host: borrowing H) {
    let (old, new) =
      isAdmitted ? (IntelEntry.noFaults, IntelEntry.present) : (IntelEntry.present, IntelEntry.noFaults)
    for index in 0..<Self.capacity where host.read(place(index) + 8) == IntelEntry.interruptSource(requester) {
      let entry = host.read(place(index))
      if entry & old != 0 { store(entry & ~old | new, at: place(index), host) }
    }
  }

  /// Gives entry `index` back.
  func clear<H: RemappingHost & ~Copyable>(_ index: Int, _ host: borrowing H) {
    store(0, at: place(index), host)
    store(0, at: place(index) + 8, host)
  }

  /// The message for entry `index`, in the remappable format with a subhandle of 0 (§5.1.5.2).
  static func message(_ index: Int) -> InterruptMessage {
    let low = UInt64(index & 0x7fff) << 5 | UInt64(index >> 15 & 1) << 2
    return InterruptMessage(address: 0xfee0_0000 | low | 1 << 4 | 1 << 3, data: 0)
  }

  private func word(_ target: InterruptTarget) throws(IOMMUError) -> UInt64 {
    guard isLong || target.apicID < 0xff else { throw .coreOutOfReach }
    // Short numbers stand in bits 8 to 15 of the destination (§9.9).
    let destination = isLong ? target.apicID : target.apicID << 8
    let entry = IntelEntry.interrupt(target.vector, destination, isLevelTriggered: target.isLevelTriggered)
    return entry | (target.isNonMaskable ? IntelEntry.nonMaskable : 0)
  }

  private func place(_ index: Int) -> PhysicalAddress { table + UInt64(index & (Self.capacity - 1)) * 16 }

  private func store<H: RemappingHost & ~Copyable>(_ word: UInt64, at place: PhysicalAddress, _ host: borrowing H) {
    host.write(word, at: place)
    if !isCoherent { host.flush(place, count: 8) }
  }
}
