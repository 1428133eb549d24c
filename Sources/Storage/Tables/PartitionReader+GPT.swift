// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// How far the reading of a GPT has come.
struct GPTProgress {
  /// Where the header that is being read is.
  var place: UInt64 = 0
  /// The header whose entries are being read.
  var header: GPTHeader?
  /// Bytes of the entry array that were read.
  var done: UInt64 = 0
  var checksum = CRC32()
  /// More used entries than there is room for.
  var isFull = false
  /// The primary, if all of it is sound.
  var primary: GPTHeader?
  /// What is wrong with the primary.
  var primaryProblem: HeaderProblem?
}

extension PartitionReader {
  /// Whether the partitions of the copy that is being read are those that count.
  private var isRecording: Bool { gpt.primary == nil }

  mutating func begin(_ copy: GPTHeader.Copy) -> Step {
    stage = .header(copy)
    switch copy {
    case .primary: gpt.place = 1
    // Without the primary's word, it is in the last sector (UEFI 2.10, §5.3.2).
    case .backup: gpt.place = gpt.primary?.alternate ?? table.disk.sectorCount - 1
    }
    return read(gpt.place)
  }

  mutating func takeHeader(_ sector: borrowing RawSpan, _ copy: GPTHeader.Copy) -> Step {
    do throws(HeaderProblem) {
      gpt.header = try GPTHeader(sector, copy, at: gpt.place, on: table.disk)
    } catch {
      return conclude(copy, error)
    }
    gpt.done = 0
    gpt.checksum = CRC32()
    stage = .entries(copy)
    return readEntries(copy)
  }

  /// Asks for the next part of the entry array, which the header's checks have placed on the disk.
  private mutating func readEntries(_ copy: GPTHeader.Copy) -> Step {
    guard let header = gpt.header, gpt.done < header.entriesSize else { return concludeEntries(copy) }
    let size = table.disk.sectorSize.bytes
    let bytes = min(header.entriesSize - gpt.done, UInt64(Self.bufferSize))
    return read(header.entriesStart + gpt.done / size, count: (bytes + size - 1) / size)
  }

  /// Entries do not cross from one part to the next: the parts are of 4096 bytes, the entries of a power of two.
  mutating func takeEntries(_ bytes: borrowing RawSpan, _ copy: GPTHeader.Copy) -> Step {
    guard let header = gpt.header else { return conclude(copy, .unreadable) }
    let count = Int(min(header.entriesSize - gpt.done, UInt64(bytes.byteCount)))
    for offset in 0..<count { gpt.checksum.add(bytes.unsignedByte(offset)) }
    if isRecording {
      for offset in stride(from: 0, to: count, by: Int(header.entrySize)) {
        takeEntry(bytes, at: offset, (gpt.done + UInt64(offset)) / UInt64(header.entrySize), header)
      }
    }
    gpt.done += UInt64(count)
    return readEntries(copy)
  }

  private mutating func takeEntry(_ bytes: borrowing RawSpan, at offset: Int, _ index: UInt64, _ header: GPTHeader) {
    let type = GUID(bytes, at: offset)
    guard type != .zero, index < PartitionTable.mostNumber, let first: UInt64 = bytes.load(offset + 32),
      let last: UInt64 = bytes.load(offset + 40)
    else { return }
    var partition = Partition(
      number: UInt32(truncatingIfNeeded: index) + 1, first: first, count: 0, type: .gpt(type),
      identifier: .guid(GUID(bytes, at: offset + 16)), name: PartitionName(utf16: bytes, at: offset + 56))
    if last < first {
      partition.problem = .reversed
    } else {
      // All sectors that 64 bits can name are one more than 64 bits can count, and on no disk.
      partition.count = last - first == .max ? .max : last - first + 1
      if last >= table.disk.sectorCount {
        partition.problem = .beyondDisk
      } else if first < header.firstUsable || last > header.lastUsable {
        partition.problem = .outsideUsable
      }
    }
    if !table.append(partition) { gpt.isFull = true }
  }

  private mutating func concludeEntries(_ copy: GPTHeader.Copy) -> Step {
    conclude(copy, gpt.checksum.value == gpt.header?.entriesChecksum ? nil : .entryChecksum)
  }

  /// Goes on after one copy was read to its end, or to where it is damaged.
  mutating func conclude(_ copy: GPTHeader.Copy, _ problem: HeaderProblem?) -> Step {
    switch (copy, problem) {
    case (.primary, nil):
      gpt.primary = gpt.header
    case (.primary, .some(let problem)):
      gpt.primaryProblem = problem
      gpt.isFull = false
      table.removeAll()
    case (.backup, nil):
      if let damage = gpt.primaryProblem {
        table.note = .primaryDamaged(damage)
      } else if let primary = gpt.primary, let backup = gpt.header, !primary.agrees(with: backup) {
        table.note = .backupDiffers
      }
    case (.backup, .some(let problem)):
      if let damage = gpt.primaryProblem { return lookElsewhere(.bothDamaged(primary: damage, backup: problem)) }
      table.note = .backupDamaged(problem)
    }
    return copy == .primary ? begin(.backup) : finishGPT()
  }

  /// Looks where a GPT begins that was made with sectors of the other size, before it says that there is none.
  private mutating func lookElsewhere(_ failure: TableFailure) -> Step {
    stage = .otherSectorSize(failure)
    return read(table.disk.sectorSize == .bytes512 ? SectorSize.bytes4096.units : 0)
  }

  mutating func takeOther(_ sector: borrowing RawSpan, _ failure: TableFailure) -> Step {
    let isLarge = table.disk.sectorSize == .bytes4096
    let start = isLarge ? Int(SectorSize.bytes512.bytes) : 0
    let isHeader = sector.load(start, as: UInt64.self) == GPTHeader.signature && sector.load(start + 24) == UInt64(1)
    return fail(isHeader ? .otherSectorSize(made: isLarge ? .bytes512 : .bytes4096) : failure)
  }

  private mutating func finishGPT() -> Step {
    guard !gpt.isFull else { return fail(.tooManyPartitions) }
    table.kind = (gpt.primary ?? gpt.header).map { .gpt($0.diskIdentifier) }
    return finish()
  }
}

extension GPTHeader {
  /// Whether both describe the same partitions of the same disk.
  fileprivate func agrees(with other: GPTHeader) -> Bool {
    diskIdentifier == other.diskIdentifier && entriesChecksum == other.entriesChecksum
      && entryCount == other.entryCount && entrySize == other.entrySize && firstUsable == other.firstUsable
      && lastUsable == other.lastUsable
  }
}
