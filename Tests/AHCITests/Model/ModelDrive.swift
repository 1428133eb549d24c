// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A drive of the model machine, with all that can be wrong with one.
final class ModelDrive {
  /// What becomes of a command.
  enum Answer {
    case done
    case failed(status: UInt8, error: UInt8, lba: UInt64)
    case silence
  }

  var identity: [UInt16]
  var sectorSize = 512
  var sectors: [UInt64: [UInt8]] = [:]
  var signature: UInt32 = 0x0000_0101

  // MARK: - What is wrong with it

  var badSectors: Set<UInt64> = []
  /// Commands for these sectors are never answered.
  var deafSectors: Set<UInt64> = []
  /// How many more commands are aborted.
  var aborts = 0
  /// How many flushes fail.
  var failingFlushes = 0
  var hasErrorLog = true
  var errorLogSlot: UInt8?
  var hasWrongSum = false
  var isDeaf = false
  /// Data are moved.
  var copies = true

  // MARK: - What it has

  /// Queued commands that it took and has not answered.
  var queue: [ModelCommand] = []
  /// After an error of a queued command: its slot, error and sector, until the log is read or the drive is reset.
  var queuedError: (slot: UInt8, error: UInt8, lba: UInt64)?
  /// Done commands, in order.
  var history: [ModelCommand] = []
  /// Writes done since the last flush.
  var unflushed: Set<UInt64> = []

  init(_ identity: [UInt16] = ModelDrive.identity()) { self.identity = identity }

  /// IDENTIFY DEVICE of an ordinary drive.
  static func identity(
    sectors: UInt64 = 1 << 21, logical: Int = 512, physicalExponent: UInt16 = 0, alignment: UInt16 = 0,
    depth: Int = 32, serial: String = "S1", trim: Bool = true
  ) -> [UInt16] {
    var words = [UInt16](repeating: 0, count: 256)
    func put(_ text: String, _ first: Int, _ count: Int) {
      let bytes = Array(text.utf8) + [UInt8](repeating: 0x20, count: count * 2 - text.utf8.count)
      for index in 0..<count { words[first + index] = UInt16(bytes[index * 2]) << 8 | UInt16(bytes[index * 2 + 1]) }
    }
    put(serial, 10, 10)
    put("1.0", 23, 4)
    put("Model Drive", 27, 20)
    words[49] = 0x300
    words[69] = 0x4020
    if depth > 0 { (words[75], words[76]) = (UInt16(depth - 1), 0x100) }
    words[82] = 0x20
    words[83] = 0x7400
    words[84] = 0x4040
    words[85] = 0x20
    for index in 0..<4 { words[100 + index] = UInt16(truncatingIfNeeded: sectors >> (16 * index)) }
    words[105] = 8
    words[106] = 0x4000 | (physicalExponent > 0 ? 0x2000 | physicalExponent : 0) | (logical > 512 ? 0x1000 : 0)
    if logical > 512 { words[117] = UInt16(logical / 2) }
    words[169] = trim ? 1 : 0
    words[209] = 0x4000 | alignment
    words[217] = 1
    return words
  }

  /// The words as bytes, with the checksum (word 255).
  static func block(_ words: [UInt16], hasWrongSum: Bool = false) -> [UInt8] {
    var bytes = words.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    bytes[510] = 0xa5
    bytes[511] = 0
    bytes[511] = 0 &- bytes.reduce(0, &+) &+ (hasWrongSum ? 1 : 0)
    return bytes
  }

  func reset() {
    queue = []
    queuedError = nil
  }

  /// What is in a sector that nobody wrote.
  func contents(_ lba: UInt64) -> [UInt8] {
    sectors[lba] ?? (0..<sectorSize).map { UInt8(truncatingIfNeeded: lba &* 7 &+ UInt64($0 / 512)) }
  }

  /// Carries a command out.
  func answer(_ command: ModelCommand, _ memory: ModelMemory, wrong: (String) -> Void) -> Answer {
    if isDeaf { return .silence }
    if queuedError != nil, command.code != 0x2f { return .failed(status: 0x41, error: 0x04, lba: 0) }
    switch command.code {
    case 0xec:
      put(Self.block(identity, hasWrongSum: hasWrongSum), command, memory, wrong)
      return .done
    case 0x2f: return readLog(command, memory, wrong)
    case 0xef:
      guard command.features == 0x02 || command.features == 0x82 else { return .failed(status: 0x41, error: 4, lba: 0) }
      identity[85] = command.features == 0x02 ? 0x20 : 0
      return .done
    case 0xea:
      if isDeaf { return .silence }
      if failingFlushes > 0 {
        failingFlushes -= 1
        return .failed(status: 0x41, error: 0x04, lba: 5)
      }
      unflushed = []
      return .done
    case 0x06:
      discard(command, memory, wrong)
      return .done
    case 0x25, 0x35, 0x3d, 0x60, 0x61: return transfer(command, memory, wrong)
    default:
      wrong("unknown command \(command.code)")
      return .failed(status: 0x41, error: 0x04, lba: 0)
    }
  }

  private func transfer(_ command: ModelCommand, _ memory: ModelMemory, _ wrong: (String) -> Void) -> Answer {
    let range = command.lba..<command.lba + UInt64(command.sectors)
    if command.byteCount != command.sectors * sectorSize { wrong("length of \(command)") }
    if deafSectors.contains(where: range.contains) { return .silence }
    if aborts > 0 {
      aborts -= 1
      return .failed(status: 0x41, error: 0x04, lba: 0)
    }
    if let bad = range.first(where: badSectors.contains) { return .failed(status: 0x41, error: 0x40, lba: bad) }
    guard copies else { return .done }
    if command.isWrite {
      let data = gather(command, memory, wrong)
      for (index, lba) in range.enumerated() {
        sectors[lba] = Array(data[index * sectorSize..<(index + 1) * sectorSize])
        unflushed.insert(lba)
      }
    } else {
      put(range.flatMap(contents), command, memory, wrong)
    }
    return .done
  }

  private func readLog(_ command: ModelCommand, _ memory: ModelMemory, _ wrong: (String) -> Void) -> Answer {
    guard hasErrorLog, command.lba == 0x10, command.count == 1 else { return .failed(status: 0x41, error: 4, lba: 0) }
    var log = [UInt8](repeating: 0, count: 512)
    if let report = queuedError {
      log[0] = errorLogSlot ?? report.slot
      log[2] = 0x41
      log[3] = report.error
      for (index, offset) in [4, 5, 6, 8, 9, 10].enumerated() {
        log[offset] = UInt8(truncatingIfNeeded: report.lba >> (8 * index))
      }
    } else {
      log[0] = 0x80
    }
    log[511] = 0 &- log.reduce(0, &+) &+ (hasWrongSum ? 1 : 0)
    put(log, command, memory, wrong)
    queuedError = nil
    return .done
  }

  private func discard(_ command: ModelCommand, _ memory: ModelMemory, _ wrong: (String) -> Void) {
    let data = gather(command, memory, wrong)
    guard command.features == 1, data.count == 512 * Int(command.count) else { return wrong("discard \(command)") }
    for start in stride(from: 0, to: data.count, by: 8) {
      let range = (0..<8).reduce(UInt64(0)) { $0 | UInt64(data[start + $1]) << (8 * $1) }
      let first = range & 0xffff_ffff_ffff
      for lba in first..<first + range >> 48 { sectors[lba] = [UInt8](repeating: 0, count: sectorSize) }
    }
  }

  private func put(_ data: [UInt8], _ command: ModelCommand, _ memory: ModelMemory, _ wrong: (String) -> Void) {
    var done = 0
    for entry in command.entries where done < data.count {
      let count = min(entry.count, data.count - done)
      guard let bytes = memory.bytes(entry.address, count) else { return wrong("DMA to \(entry)") }
      bytes.copyBytes(from: data[done..<done + count])
      done += count
    }
  }

  private func gather(_ command: ModelCommand, _ memory: ModelMemory, _ wrong: (String) -> Void) -> [UInt8] {
    command.entries.flatMap { entry -> [UInt8] in
      if let bytes = memory.bytes(entry.address, entry.count) { return Array(bytes) }
      wrong("DMA from \(entry)")
      return [UInt8](repeating: 0, count: entry.count)
    }
  }
}
