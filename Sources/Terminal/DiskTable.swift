// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// The lines of `@d`: disks and who has what of them. What a server wrote is a claim, and its names may hold anything.
enum DiskTable {
  /// The kernel knows the server's name and state, whatever became of it.
  static func heading(_ status: DomainStatus, _ disk: DiskCounters) -> LogLine {
    let state = DomainState(rawValue: status.state).description
    return "disk \(status.name): \(state), started \(times: status.starts); \(DiskState(rawValue: disk.state).words)"
  }

  /// The drive, and how its table divides it.
  static func drive(_ disk: DiskCounters) -> LogLine {
    var line: LogLine = "  "
    for index in 0..<40 where disk.model[index] != 0 { line.append(printable: disk.model[index]) }
    line.append(bytes: disk.sectorCount &* UInt64(disk.sectorSize), to: line.count + 11)
    switch PartitionTableKind(rawValue: disk.table) {
    case .mbr: line.appendLiteral(", MBR with ")
    case .gpt: line.appendLiteral(", GPT with ")
    case .some(.none), nil: return line
    }
    line.append(magnitude: UInt64(disk.partitionCount), radix: 10)
    line.appendLiteral(disk.partitionCount == 1 ? " partition" : " partitions")
    return line
  }

  static func work(_ disk: DiskCounters) -> LogLine {
    let drive = disk.drive
    return
      "  \(drive.commands) commands, \(drive.interrupts) interrupts, \(disk.issued) of \(disk.depth) under way, at most \(drive.deepestQueue)"
  }

  /// `nil` if nothing went wrong.
  static func trouble(_ disk: DiskCounters) -> LogLine? {
    let drive = disk.drive
    guard drive.driveErrors | drive.linkErrors | drive.timeouts | drive.repeats != 0 else { return nil }
    return
      "  errors: \(drive.driveErrors) of the drive, \(drive.linkErrors) of the link, \(drive.timeouts) timeouts, \(drive.repeats) repeats"
  }

  /// Columns of the longest name of a virtual disk.
  static func nameWidth(_ disk: DiskCounters) -> Int {
    var width = 4
    for index in 0..<disk.usedClients {
      var name = LogLine()
      name.append(nameOf: disk.clients[index])
      width = max(width, name.count)
    }
    return width
  }

  static func header(width: Int) -> LogLine {
    var line: LogLine = "  disk"
    let columns = Columns(width)
    line.pad(to: columns.state)
    line.appendLiteral("state")
    line.append("part", to: columns.part)
    line.append("reads", to: columns.reads)
    line.append("bytes", to: columns.readBytes)
    line.append("writes", to: columns.writes)
    line.append("bytes", to: columns.writtenBytes)
    line.append("flushes", to: columns.flushes)
    line.append("us", to: columns.latency)
    line.append("depth", to: columns.depth)
    return line
  }

  static func row(_ client: DiskClientCounters, width: Int) -> LogLine {
    var line: LogLine = "  "
    let columns = Columns(width)
    line.append(nameOf: client)
    line.pad(to: columns.state)
    line.appendLiteral(DiskClientState(rawValue: client.state).words)
    if client.partition == 0 {
      line.append(client.sectorCount == 0 ? "-" : "all", to: columns.part)
    } else {
      line.append(number: UInt64(client.partition), to: columns.part)
    }
    line.append(number: client.reads, to: columns.reads)
    line.append(bytes: client.bytesRead, to: columns.readBytes)
    line.append(number: client.writes, to: columns.writes)
    line.append(bytes: client.bytesWritten, to: columns.writtenBytes)
    line.append(number: client.flushes, to: columns.flushes)
    line.append(number: client.timed == 0 ? 0 : client.latencySum / client.timed / 1000, to: columns.latency)
    line.append(number: UInt64(client.deepest), to: columns.depth)
    return line
  }

  /// Where the columns begin (the state) or end (numbers).
  private struct Columns {
    let state: Int
    var part: Int { state + 10 }
    var reads: Int { part + 8 }
    var readBytes: Int { reads + 10 }
    var writes: Int { readBytes + 8 }
    var writtenBytes: Int { writes + 10 }
    var flushes: Int { writtenBytes + 8 }
    var latency: Int { flushes + 7 }
    var depth: Int { latency + 6 }

    init(_ nameWidth: Int) { state = 2 + nameWidth + 2 }
  }
}

extension DiskCounters {
  /// Clients that it says to have, as far as there can be.
  var usedClients: Int { min(Int(clientCount), DiskConfiguration.clientCapacity) }
}

extension DiskState? {
  /// What people read.
  fileprivate var words: StaticString {
    switch self {
    case .starting: "the drive is being looked at"
    case .ready: "ready"
    case .recovering: "requests wait for the drive"
    case .absent: "there is no drive"
    case .failed: "the controller cannot be used"
    case nil: "unknown"
    }
  }
}

extension DiskClientState? {
  /// What people read.
  fileprivate var words: StaticString {
    switch self {
    case .waiting: "waiting"
    case .down: "down"
    case .up: "up"
    case .missing: "missing"
    case .failed: "failed"
    case nil: "unknown"
    }
  }
}

extension LogLine {
  /// Adds the VM's name and the disk's, as far as they are printable.
  fileprivate mutating func append(nameOf client: DiskClientCounters) {
    append(printable: client.machine)
    appendLiteral(" vd")
    append(byte: 0x61 + UInt8(client.disk % 26))
  }
}
