// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// An AMD IOMMU in software, after AMD I/O Virtualization 3.08: registers, rings, caches that forget only when told,
/// tables, events.
final class ModelAMD: ModelRegisters {
  let base: UInt64
  unowned let host: ModelHost
  var control: UInt64 = 0
  var extensions: UInt64 = 1 << 6
  var status: UInt64 = 0
  var isDead = false
  var isStuck = false
  /// Interrupts sent for events.
  var eventInterrupts = 0
  private(set) var operations: [UInt64] = []

  private var stored: [UInt64: UInt64] = [0x20: 0x1234_5001]
  private var entries: [UInt16: [UInt64]] = [:]
  private var translations: [UInt64: [UInt64: (page: UInt64, rights: UInt64)]] = [:]
  private var interrupts: [UInt16: [UInt32: UInt32]] = [:]

  init(_ host: ModelHost, base: UInt64 = 0xfed8_0000) {
    self.host = host
    self.base = base
    host.registers.append(self)
  }

  // MARK: - Registers

  func read(_ offset: UInt64, width: Int) -> UInt64 {
    precondition(width == 8)
    guard !isDead else { return .max }
    switch offset {
    case 0x18: return control
    case 0x30: return extensions
    case 0x2020: return status | (control & 4 != 0 ? 8 : 0) | (control & 1 << 12 != 0 ? 16 : 0)
    default: return stored[offset] ?? 0
    }
  }

  func write(_ value: UInt64, at offset: UInt64, width: Int) {
    precondition(width == 8)
    switch offset {
    case 0x18:
      precondition(value & 1 == 0 || control & 1 != 0 || stored[0] ?? 0 != 0, "on without a table")
      control = value
    case 0x2020: status &= ~(value & 3)
    case 0x00, 0x08, 0x10:
      precondition(control & 0x1005 == 0, "moved while it is on")
      stored[offset] = value
    default:
      stored[offset] = value
      if offset == 0x2008 { processCommands() }
    }
  }

  // MARK: - Commands

  private func processCommands() {
    guard control & 1 << 12 != 0, !isStuck else { return }
    let ring = (stored[0x08] ?? 0) & 0x000f_ffff_ffff_f000
    precondition((stored[0x08] ?? 0) >> 56 & 15 == 8)
    while stored[0x2000] != stored[0x2008] {
      let head = stored[0x2000] ?? 0
      carryOut(host.read(PhysicalAddress(ring + head)), host.read(PhysicalAddress(ring + head + 8)))
      stored[0x2000] = (head + 16) & 0xfff
    }
  }

  private func carryOut(_ low: UInt64, _ high: UInt64) {
    operations.append(low >> 60)
    let device = UInt16(truncatingIfNeeded: low)
    switch low >> 60 {
    case 1:
      if low & 1 != 0 { host.deviceWrite(high, at: low & 0x000f_ffff_ffff_fff8) }
    case 2: entries[device] = nil
    case 3:
      precondition(high & 1 != 0 && high >> 12 == 0x7_ffff_ffff_ffff, "all pages, or those of one address")
      translations[low >> 32 & 0xffff] = nil
    case 5: interrupts[device] = nil
    case 8:
      precondition(extensions & 1 << 6 != 0)
      entries = [:]
      translations = [:]
      interrupts = [:]
    default: preconditionFailure("no such command")
    }
  }

  // MARK: - Requests

  private func entry(_ device: UInt16) -> [UInt64] {
    if let cached = entries[device] { return cached }
    let table = (stored[0] ?? 0) & 0x000f_ffff_ffff_f000
    precondition(UInt64(device) * 32 < ((stored[0] ?? 0) & 0x1ff + 1) * 4096)
    entries[device] = (0..<4).map { host.read(PhysicalAddress(table + UInt64(device) * 32 + UInt64($0) * 8)) }
    return entries[device] ?? []
  }

  /// A device reads or writes.
  func request(_ device: FunctionAddress, _ address: UInt64, isWrite: Bool) -> Answer {
    guard control & 1 != 0 else { return .memory(address) }
    let entry = entry(device.requester)
    guard entry[0] & 1 != 0 else { return .memory(address) }
    precondition(entry[0] & 2 != 0)
    let need: UInt64 = isWrite ? 2 : 1
    let domain = entry[1] & 0xffff
    if let cached = translations[domain]?[address >> 12], cached.rights & need != 0 {
      return .memory(cached.page + address % 4096)
    }
    guard entry[0] >> 61 & need != 0, let found = walk(entry[0], address), found.rights & need != 0 else {
      if entry[1] >> 34 & 1 == 0 {
        event(2 << 60 | (isWrite ? 1 << 53 : 0) | domain << 32 | UInt64(device.requester), address)
      }
      return .refused
    }
    translations[domain, default: [:]][address >> 12] = found
    return .memory(found.page + address % 4096)
  }

  private func walk(_ top: UInt64, _ address: UInt64) -> (page: UInt64, rights: UInt64)? {
    var entry = top
    var rights = top >> 61 & 3
    var level = top >> 9 & 7
    guard address >> (12 + 9 * level) == 0 else { return nil }
    while level > 0 {
      let table = entry & 0x000f_ffff_ffff_f000
      entry = host.read(PhysicalAddress(table + (address >> (3 + 9 * level) & 511) * 8))
      guard entry & 1 != 0 else { return nil }
      rights &= entry >> 61
      let next = entry >> 9 & 7
      precondition(next < level, "tables go down")
      if next == 0 {
        let size: UInt64 = 1 << (3 + 9 * level)
        let page = entry & 0x000f_ffff_ffff_f000
        precondition(page % size == 0, "a page that is not on its border")
        return (page + address % size / 4096 * 4096, rights)
      }
      precondition(next == level - 1, "no level is skipped here")
      level = next
    }
    return nil
  }

  // MARK: - Events

  private func event(_ low: UInt64, _ high: UInt64) {
    guard control & 4 != 0, status & 1 == 0 else { return }
    let ring = (stored[0x10] ?? 0) & 0x000f_ffff_ffff_f000
    let tail = stored[0x2018] ?? 0
    guard (tail + 16) & 0xfff != stored[0x2010] else {
      status |= 1
      return
    }
    host.deviceWrite(low, at: ring + tail)
    host.deviceWrite(high, at: ring + tail + 8)
    stored[0x2018] = (tail + 16) & 0xfff
    if control & 8 != 0, status & 2 == 0 { eventInterrupts += 1 }
    status |= 2
  }

  /// An event whose place in the ring is known before it is there.
  func announce() { stored[0x2018] = ((stored[0x2018] ?? 0) + 16) & 0xfff }

  /// An event of any kind.
  func raise(_ low: UInt64, _ high: UInt64) { event(low, high) }

  // MARK: - Interrupts

  /// A device, or an I/O APIC, writes a message.
  func interrupt(_ device: FunctionAddress, _ address: UInt64, _ data: UInt32) -> Arrival? {
    let plain = Arrival(vector: UInt8(truncatingIfNeeded: data), core: UInt32(address >> 12 & 0xff))
    let word = entry(device.requester)[2]
    guard word & 1 != 0 else { return plain }
    let index = data & 0x7ff
    guard word >> 60 & 3 == 2, index < 1 << UInt32(word >> 1 & 15) else { return refuse(device) }
    let place = (word & 0x000f_ffff_ffff_ffc0) + UInt64(index) / 2 * 8
    let both = host.read(PhysicalAddress(place))
    let found = interrupts[device.requester]?[index] ?? UInt32(truncatingIfNeeded: index & 1 == 0 ? both : both >> 32)
    guard found & 1 != 0 else { return found & 2 != 0 ? nil : refuse(device) }
    interrupts[device.requester, default: [:]][index] = found
    precondition(found & 0xff00_00fe == 0, "physical and fixed")
    return Arrival(vector: UInt8(truncatingIfNeeded: found >> 16), core: found >> 8 & 0xff)
  }

  private func refuse(_ device: FunctionAddress) -> Arrival? {
    guard entry(device.requester)[2] & 1 << 5 == 0 else { return nil }
    event(2 << 60 | 1 << 51 | UInt64(device.requester), 0xfdf8_0000_0000)
    return nil
  }
}
