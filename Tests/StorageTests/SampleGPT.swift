// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

@testable import Storage

/// An entry of a made GPT.
struct SampleEntry {
  var type = SampleEntry.linux
  var unique: GUID
  var first: UInt64
  var last: UInt64
  var name = ""

  static var linux: GUID { GUID(0x0fc6_3daf, 0x8483, 0x4772, 0x8e79, 0x3d69_d847_7de4) }

  /// An entry whose unique GUID ends in `id`.
  init(_ id: UInt64, _ sectors: ClosedRange<UInt64>, name: String = "") {
    unique = GUID(0xaabb_ccdd, 0x1122, 0x3344, 0x5566, id)
    (first, last) = (sectors.lowerBound, sectors.upperBound)
    self.name = name
  }
}

/// Where a GPT keeps its things; `nil` for the usual places.
struct SampleLayout {
  var entryCount: UInt32 = 128
  var entrySize: UInt32 = 128
  var firstUsable: UInt64?
  var lastUsable: UInt64?
  var backup: UInt64?
}

/// The checksum of UEFI, computed bit by bit.
func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
  var state = UInt32.max
  for byte in bytes {
    state ^= UInt32(byte)
    for _ in 0..<8 { state = (state >> 1) ^ (state & 1 == 1 ? 0xedb8_8320 : 0) }
  }
  return ~state
}

extension SampleDisk {
  static var diskIdentifier: GUID { GUID(0x0102_0304, 0x0506, 0x0708, 0x090a, 0x0b0c_0d0e_0f10) }

  /// A disk with a whole GPT, primary and backup.
  static func gpt(
    _ entries: [SampleEntry], sectorSize: SectorSize = .bytes512, sectors: UInt64 = 100_000,
    layout: SampleLayout = SampleLayout()
  ) -> SampleDisk {
    var disk = SampleDisk(sectorSize, sectors: sectors)
    disk.put(0, type: 0xee, start: 1, count: UInt32(clamping: sectors - 1))
    let bytes = UInt64(layout.entryCount) * UInt64(layout.entrySize)
    let array = (bytes + sectorSize.bytes - 1) / sectorSize.bytes
    let backup = layout.backup ?? sectors - 1
    let usable = (layout.firstUsable ?? 2 + array)...(layout.lastUsable ?? backup - array - 1)
    disk.putHeader(at: 1, alternate: backup, entries: 2, usable, layout)
    disk.putHeader(at: backup, alternate: 1, entries: backup - array, usable, layout)
    for (index, entry) in entries.enumerated() {
      disk.put(entry, index, array: 2, layout)
      disk.put(entry, index, array: backup - array, layout)
    }
    disk.seal(1)
    disk.seal(backup)
    return disk
  }

  private mutating func putHeader(
    at place: UInt64, alternate: UInt64, entries: UInt64, _ usable: ClosedRange<UInt64>, _ layout: SampleLayout
  ) {
    for (index, byte) in "EFI PART".utf8.enumerated() { store(byte, place, index) }
    store(UInt32(0x10000), place, 8)
    store(UInt32(92), place, 12)
    store(place, place, 24)
    store(alternate, place, 32)
    store(usable.lowerBound, place, 40)
    store(usable.upperBound, place, 48)
    store(Self.diskIdentifier, place, 56)
    store(entries, place, 72)
    store(layout.entryCount, place, 80)
    store(layout.entrySize, place, 84)
  }

  /// Writes an entry, without the checksums.
  mutating func put(_ entry: SampleEntry, _ index: Int, array: UInt64, _ layout: SampleLayout = SampleLayout()) {
    let place = index * Int(layout.entrySize)
    let (sector, offset) = (array + UInt64(place / size), place % size)
    store(entry.type, sector, offset)
    store(entry.unique, sector, offset + 16)
    store(entry.first, sector, offset + 32)
    store(entry.last, sector, offset + 40)
    for (index, unit) in entry.name.utf16.enumerated() { store(unit, sector, offset + 56 + 2 * index) }
  }

  func number<T: FixedWidthInteger>(_ sector: UInt64, _ offset: Int, as type: T.Type = T.self) -> T {
    self[sector][offset..<(offset + T.bitWidth / 8)].reversed().reduce(0) { $0 << 8 | T(truncatingIfNeeded: $1) }
  }

  /// Makes the checksums of the header in `place` right: the entries', if they are on the disk, and its own.
  mutating func seal(_ place: UInt64) {
    let bytes = UInt64(number(place, 80, as: UInt32.self)) * UInt64(number(place, 84, as: UInt32.self))
    let first = number(place, 72, as: UInt64.self)
    if bytes <= 8 << 20, first < geometry.sectorCount {
      let last = first + (bytes + UInt64(size) - 1) / UInt64(size)
      store(checksum((first..<last).flatMap { self[$0] }.prefix(Int(bytes))), place, 88)
    }
    sealHeader(place)
  }

  mutating func sealHeader(_ place: UInt64) {
    store(UInt32(0), place, 16)
    store(checksum(self[place].prefix(Int(number(place, 12, as: UInt32.self)))), place, 16)
  }
}
