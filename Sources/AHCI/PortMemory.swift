// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What a port and its driver say to each other in memory (AHCI 1.3.1, §4).
struct PortMemory {
  /// What one TRIM of a single block of ranges can cover: 64 ranges of 65535 sectors.
  static var rangesLimit: UInt32 { UInt32(blockSize / 8) * 0xffff }

  let area: DMAArea

  /// The command list's device address.
  var commandListAddress: UInt64 { address(Self.commandList) }
  /// The device address of where the drive's frames go.
  var receivedAddress: UInt64 { address(Self.received) }
  /// The last byte's device address.
  var lastAddress: UInt64 { address(Self.size - 1) }

  /// Forgets what an earlier driver or drive left.
  func clear() {
    area.clear(Self.commandList, count: Self.commandListSize)
    area.clear(Self.received, count: Self.receivedSize)
  }

  /// Makes entry `slot` of the command list point to `table`, which has `entries` pieces of memory.
  func setHeader(_ slot: Int, table: Int, entries: Int, isWrite: Bool) {
    let header = Self.commandList + slot * Self.headerSize
    let start = address(Self.table(table))
    area.store((CommandHeader.fiveWords | .entries(entries) | (isWrite ? .isWrite : .none)).rawValue, at: header)
    area.store(UInt32(0), at: header + 4)
    area.store(start, at: header + 8)
  }

  /// Puts a command into `table`.
  func setCommand(_ frame: CommandFrame, ofTable table: Int) {
    let words = frame.words
    for index in 0..<words.count { area.store(words[index], at: Self.table(table) + 4 * index) }
  }

  /// Sets entry `index` of the table's list of memory (§4.2.3.3).
  func setEntry(_ index: Int, ofTable table: Int, address: UInt64, byteCount: UInt64) {
    let entry = Self.table(table) + Self.entries + index * Self.entrySize
    area.store(address, at: entry)
    area.store(UInt32(0), at: entry + 8)
    area.store(UInt32(truncatingIfNeeded: byteCount &- 1), at: entry + 12)
  }

  /// Writes the ranges of a TRIM, the rest of the block zero (ACS-3, §7.6.3.2), as the only piece of `table`'s memory.
  func setRanges(from first: UInt64, sectors: UInt32, ofTable table: Int) {
    area.clear(Self.ranges, count: Self.blockSize)
    var next = first
    var rest = min(UInt64(sectors), UInt64(Self.rangesLimit))
    var offset = Self.ranges
    while rest > 0 {
      let count = min(rest, 0xffff)
      area.store(next | count << 48, at: offset)
      next += count
      rest -= count
      offset += 8
    }
    setEntry(0, ofTable: table, address: address(Self.ranges), byteCount: UInt64(Self.blockSize))
  }

  /// Makes the block at `offset` zero and the only piece of the driver's own table's memory.
  func prepareBlock(_ offset: Int) {
    area.clear(offset, count: Self.blockSize)
    setEntry(0, ofTable: Self.ownTable, address: address(offset), byteCount: UInt64(Self.blockSize))
  }

  /// Who the drive says it is; `nil` if that cannot be.
  func driveIdentity() -> DriveIdentity? {
    area.receive()
    return area.withBytes(Self.identity, count: Self.blockSize) { DriveIdentity($0) }
  }

  /// Which queued command the drive says has failed; `nil` if that cannot be.
  func queuedError() -> QueuedError? {
    area.receive()
    return area.withBytes(Self.errorLog, count: Self.blockSize) { QueuedError($0) }
  }

  /// The sector in the last frame with the drive's registers (Serial ATA 3.2, §10.3.5); `nil` if none came.
  func reportedSector() -> UInt64? {
    area.receive()
    let frame = Self.receivedRegisters
    guard area.load(frame, as: UInt8.self) == FrameKind.registersToHost else { return nil }
    return UInt64(area.load(frame + 4, as: UInt32.self) & 0xff_ffff)
      | UInt64(area.load(frame + 8, as: UInt32.self) & 0xff_ffff) << 24
  }

  private func address(_ offset: Int) -> UInt64 { area.deviceAddress + UInt64(offset) }
  private static func table(_ index: Int) -> Int { tables + index * tableSize }
}
