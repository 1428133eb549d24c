// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// An Intel IOMMU in software, after VT-d 4.1: registers, queue, caches that forget only when told, tables, faults.
final class ModelIntel: ModelRegisters {
  let base: UInt64
  unowned let host: ModelHost
  /// As QEMU's, with 39 bits.
  var capabilities: UInt64 = 0x00d2_008c_2226_0206
  var extensions: UInt64 = 0xf0_0f4a
  var status: UInt32 = 0
  var faultStatus: UInt32 = 0
  var faultControl: UInt32 = 1 << 31
  var faultMessage: [UInt64: UInt64] = [:]
  var protection: UInt32 = 0
  /// Messages sent for faults.
  var faultMessages = 0
  private var isSignalHeld = false
  var isDead = false
  var refusesQueue = false

  private var stored: [UInt64: UInt64] = [:]
  private var root: UInt64 = 0
  private var interruptTable: UInt64 = 0
  private var head: UInt64 = 0
  private var records: [(low: UInt64, high: UInt64)]
  private var contexts: [UInt16: (low: UInt64, high: UInt64)] = [:]
  private var translations: [UInt64: [UInt64: (page: UInt64, size: UInt64, rights: UInt64)]] = [:]
  private var interrupts: [Int: (low: UInt64, high: UInt64)] = [:]
  private(set) var descriptors: [UInt64] = []

  init(_ host: ModelHost, base: UInt64 = 0xfed9_0000, records: Int = 1) {
    self.host = host
    self.base = base
    self.records = [(UInt64, UInt64)](repeating: (0, 0), count: records)
    capabilities |= UInt64(records - 1) << 40
    host.registers.append(self)
  }

  private var isCoherent: Bool { extensions & 1 != 0 }
  private func memory(_ address: UInt64) -> UInt64 { host.deviceRead(address, isCoherent: isCoherent) }
  private var faultOffset: UInt64 { (capabilities >> 24 & 0x3ff) * 16 }

  // MARK: - Registers

  func read(_ offset: UInt64, width: Int) -> UInt64 {
    guard !isDead else { return width == 4 ? 0xffff_ffff : .max }
    switch (offset, width) {
    case (0, 4): return 0x10
    case (0x08, 8): return capabilities
    case (0x10, 8): return extensions
    case (0x1c, 4): return UInt64(status)
    case (0x34, 4):
      let first = records.firstIndex { $0.high >> 63 != 0 }
      return UInt64(faultStatus) | (first.map { 2 | UInt64($0) << 8 } ?? 0)
    case (0x64, 4): return UInt64(protection)
    case (0x80, 8): return head
    case (0x88, 8), (0x20, 8), (0x90, 8), (0xb8, 8): return stored[offset] ?? 0
    case (faultOffset..<(faultOffset + UInt64(records.count) * 16), 8):
      let record = records[Int((offset - faultOffset) / 16)]
      return offset % 16 == 0 ? record.low : record.high
    default: preconditionFailure("reads \(width) bytes at \(offset)")
    }
  }

  func write(_ value: UInt64, at offset: UInt64, width: Int) {
    switch (offset, width) {
    case (0x18, 4): command(UInt32(value))
    case (0x34, 4): faultStatus &= ~UInt32(value)
    case (0x38, 4):
      faultControl = UInt32(value)
      guard faultControl >> 31 == 0, isSignalHeld else { return }
      isSignalHeld = false
      if records.contains(where: { $0.high >> 63 != 0 }) { faultMessages += 1 }
    case (0x3c, 4), (0x40, 4), (0x44, 4): faultMessage[offset] = value
    case (0x64, 4): protection = UInt32(value) >> 31 | UInt32(value) & 1 << 31
    case (0x88, 8):
      stored[offset] = value
      if status & 1 << 26 != 0 { processQueue() }
    case (0x20, 8), (0x90, 8), (0xb8, 8): stored[offset] = value
    case (faultOffset..<(faultOffset + UInt64(records.count) * 16), 4):
      precondition(offset % 16 == 12)
      if value >> 31 != 0 { records[Int((offset - faultOffset) / 16)].high &= ~(1 << 63) }
    default: preconditionFailure("writes \(width) bytes at \(offset)")
    }
  }

  /// One thing changes at a time (§11.4.4).
  private func command(_ value: UInt32) {
    let lasting: UInt32 = 0x9680_0000
    let changes = ((value & lasting) ^ (status & lasting)).nonzeroBitCount
    let once = value & 0x4900_0000
    precondition(changes + once.nonzeroBitCount == 1, "several things at once")
    if once & 1 << 30 != 0 { root = stored[0x20] ?? 0 }
    if once & 1 << 24 != 0 { interruptTable = stored[0xb8] ?? 0 }
    if value & ~status & 1 << 26 != 0 {
      head = 0
      precondition(stored[0x88] ?? 0 == 0)
      if refusesQueue { return }
    }
    if value & ~status & 1 << 31 != 0 { precondition(status & 1 << 30 != 0, "translation without tables") }
    if value & ~status & 1 << 25 != 0 { precondition(status & 1 << 24 != 0, "remapping without a table") }
    // Writing buffers back takes no time here: its bit is never seen.
    status = status & ~lasting | value & lasting | (status | once) & (1 << 30 | 1 << 24)
  }

  // MARK: - Queue

  private func processQueue() {
    let queue = (stored[0x90] ?? 0) & ~0xfff
    while head != stored[0x88], faultStatus & 0x10 == 0 {
      let low = memory(queue + head)
      let high = memory(queue + head + 8)
      descriptors.append(low)
      guard carryOut(low, high) else {
        faultStatus |= 0x10
        return
      }
      head = (head + 16) & 0xfff
    }
  }

  private func carryOut(_ low: UInt64, _ high: UInt64) -> Bool {
    switch (low & 0xf, low >> 4 & 3) {
    case (1, 1): contexts = [:]
    case (1, 2): contexts = contexts.filter { $0.value.high >> 8 & 0xffff != low >> 16 & 0xffff }
    case (1, 3):
      let device = UInt16(truncatingIfNeeded: low >> 32)
      if let cached = contexts[device], cached.high >> 8 & 0xffff == low >> 16 & 0xffff { contexts[device] = nil }
    case (2, 1): translations = [:]
    case (2, 2): translations[low >> 16 & 0xffff] = nil
    case (4, 0), (4, 2): interrupts = [:]
    case (4, 1), (4, 3): interrupts[Int(low >> 32 & 0xffff)] = nil
    case (5, 2): host.deviceWrite(low >> 32, at: high)
    default: return false
    }
    return true
  }

  // MARK: - Requests

  /// A device reads or writes.
  func request(_ device: FunctionAddress, _ address: UInt64, isWrite: Bool) -> Answer {
    guard status & 1 << 31 != 0 else { return .memory(address) }
    guard let context = context(of: device.requester) else {
      return fault(device, address, isWrite, entry(of: device.requester) == nil ? 1 : 2)
    }
    let levels = Int(context.high & 7) + 2
    guard capabilities >> 8 & 1 << UInt64(levels - 2) != 0 else { return fault(device, address, isWrite, 3) }
    guard address >> min(UInt64(12 + 9 * levels), (capabilities >> 16 & 0x3f) + 1) == 0 else {
      return fault(device, address, isWrite, 4)
    }
    let domain = context.high >> 8 & 0xffff
    if let cached = translations[domain]?[address >> 12], cached.rights & (isWrite ? 2 : 1) != 0 {
      return .memory(cached.page + address % 4096)
    }
    guard let page = walk(context.low & ~0xfff, levels, address), page.rights & (isWrite ? 2 : 1) != 0 else {
      return fault(device, address, isWrite, isWrite ? 5 : 6)
    }
    translations[domain, default: [:]][address >> 12] = page
    return .memory(page.page + address % 4096)
  }

  private func entry(of device: UInt16) -> UInt64? {
    let entry = memory((root & ~0xfff) + UInt64(device >> 8) * 16)
    return entry & 1 != 0 ? (entry & ~0xfff) + UInt64(device & 0xff) * 16 : nil
  }

  private func context(of device: UInt16) -> (low: UInt64, high: UInt64)? {
    if let cached = contexts[device] { return cached }
    guard let place = entry(of: device), memory(place) & 1 != 0 else { return nil }
    contexts[device] = (memory(place), memory(place + 8))
    return contexts[device]
  }

  private func walk(_ root: UInt64, _ levels: Int, _ address: UInt64) -> (page: UInt64, size: UInt64, rights: UInt64)? {
    var table = root
    var rights: UInt64 = 3
    for level in stride(from: levels - 1, through: 0, by: -1) {
      let shift = UInt64(12 + 9 * level)
      let entry = memory(table + (address >> shift & 511) * 8)
      rights &= entry
      guard rights & 3 != 0 else { return nil }
      if level == 0 || entry & 0x80 != 0 {
        precondition(level == 0 || capabilities >> (33 + UInt64(level)) & 1 != 0, "a page of a size there is not")
        let size: UInt64 = 1 << shift
        let page = entry & 0x000f_ffff_ffff_f000
        precondition(page % size == 0, "a page that is not on its border")
        return (page + address % size / 4096 * 4096, size, rights & 3)
      }
      table = entry & 0x000f_ffff_ffff_f000
    }
    return nil
  }

  private func fault(_ device: FunctionAddress, _ address: UInt64, _ isWrite: Bool, _ code: UInt64) -> Answer {
    if code == 2, let place = entry(of: device.requester), memory(place) & 2 != 0 { return .refused }
    record(address & ~0xfff, UInt64(device.requester) | code << 32 | (isWrite ? 0 : 1 << 62))
    return .refused
  }

  private func record(_ low: UInt64, _ high: UInt64) {
    guard faultStatus & 1 == 0 else { return }
    guard let free = records.firstIndex(where: { $0.high >> 63 == 0 }) else {
      faultStatus |= 1
      return
    }
    // The first alone is signalled, until all that was recorded is cleared (§7.3).
    let isFirst = !records.contains { $0.high >> 63 != 0 }
    records[free] = (low, high | 1 << 63)
    guard isFirst else { return }
    isSignalHeld = faultControl >> 31 != 0
    if !isSignalHeld { faultMessages += 1 }
  }

  // MARK: - Interrupts

  /// A device, or an I/O APIC, writes a message.
  func interrupt(_ device: FunctionAddress, _ address: UInt64, _ data: UInt32) -> Arrival? {
    guard status & 1 << 25 != 0 else {
      return Arrival(vector: UInt8(truncatingIfNeeded: data), core: UInt32(address >> 12 & 0xff))
    }
    guard address & 0x10 != 0 else { return refuse(device, 0, 0x25) }
    var index = Int(address >> 5 & 0x7fff) | Int(address >> 2 & 1) << 15
    if address & 8 != 0 { index += Int(data & 0xffff) }
    guard index < 2 << Int(interruptTable & 0xf) else { return refuse(device, index, 0x21) }
    let place = (interruptTable & ~0xfff) + UInt64(index) * 16
    let entry = interrupts[index] ?? (memory(place), memory(place + 8))
    // Faults that are found with an entry are not recorded where that says so (§5.1.4.1: qualified).
    guard entry.low & 1 != 0 else { return entry.low & 2 != 0 ? nil : refuse(device, index, 0x22) }
    interrupts[index] = entry
    guard entry.high >> 18 & 3 == 1, entry.high & 0xffff == UInt64(device.requester) else {
      return entry.low & 2 != 0 ? nil : refuse(device, index, 0x26)
    }
    let isLong = interruptTable & 1 << 11 != 0
    let core = UInt32(truncatingIfNeeded: entry.low >> 32)
    return Arrival(
      vector: UInt8(truncatingIfNeeded: entry.low >> 16), core: isLong ? core : core >> 8,
      isLevel: entry.low & 0x10 != 0, isNonMaskable: entry.low >> 5 & 7 == 4)
  }

  private func refuse(_ device: FunctionAddress, _ index: Int, _ code: UInt64) -> Arrival? {
    record(UInt64(index) << 48, UInt64(device.requester) | code << 32)
    return nil
  }
}
