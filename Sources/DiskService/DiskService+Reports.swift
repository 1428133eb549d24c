// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import AHCI
import Bits
import Storage

/// What people and the console are told.
extension DiskService where Drive: ~Copyable {
  /// As people know a client: the VM, and the disk's name there.
  func title(of client: Int) -> LogLine {
    var line: LogLine = "\(clients[client].configuration.machine): vd"
    line.append(byte: 0x61 + UInt8(clients[client].configuration.disk % 26))
    return line
  }

  /// What part of the disk a client is to have.
  func wish(of client: Int) -> LogLine {
    switch clients[client].selector {
    case .partition(.number(let number)): return "partition \(number)"
    case .partition(.name(let name)):
      var line: LogLine = "partition '"
      name.write(to: &line)
      line.append(byte: 0x27)
      return line
    case .partition(.identifier(let identifier)):
      var line: LogLine = "partition "
      identifier.write(to: &line)
      return line
    case .wholeDisk, nil: return "all"
    }
  }

  /// Says what drive was found, and what is wrong with its partition table.
  mutating func reportDrive() {
    guard let facts else { return }
    let size = facts.geometry.sectorCount * facts.geometry.sectorSize.bytes
    var line: LogLine = "\(name): "
    if drive.model.count > 0 { line.append(drive.model) } else { line.append("an image file") }
    messages.add(
      .information,
      "\(line), \(size >> 20) MiB in sectors of \(facts.geometry.sectorSize.rawValue), \(facts.depth) commands at a time"
    )
    if let note = reader.table.note { messages.add(.warning, "\(name): the disk \(note.line)") }
    if let problem = reader.table.chainProblem {
      messages.add(.warning, "\(name): the chain of logical partitions \(problem.phrase)")
    }
    for index in 0..<reader.table.count {
      let partition = reader.table[index]
      guard let problem = partition.problem else { continue }
      messages.add(.warning, "\(name): partition \(partition.number) \(problem.line)")
    }
  }

  /// Whether people are to be told of another request of the client that failed.
  mutating func mayComplain(_ client: Int) -> Bool {
    clients[client].complaints += 1
    return clients[client].complaints <= 16
  }

  /// Says that the drive failed a request.
  mutating func complain(_ client: Int, _ request: PendingRequest, _ outcome: DiskOutcome) {
    switch outcome {
    case .success: return
    case .mediumError(let sector?):
      messages.add(.error, "\(title(of: client)): \(name) cannot read or write sector \(sector)")
    case .mediumError(nil): messages.add(.error, "\(title(of: client)): \(name) cannot read or write")
    case .refused: messages.add(.error, "\(title(of: client)): \(name) refused a request again and again")
    case .timedOut: messages.add(.error, "\(title(of: client)): \(name) does not answer")
    case .gone: return
    }
  }

  /// Writes what the console shows of the disk.
  func show(in counters: inout DiskCounters) {
    let done = drive.counters
    counters.drive.commands = done.commands
    counters.drive.interrupts = done.interrupts
    counters.drive.driveErrors = done.driveErrors
    counters.drive.linkErrors = done.linkErrors
    counters.drive.timeouts = done.timeouts
    counters.drive.repeats = done.repeats
    counters.drive.portResets = done.portResets
    counters.drive.controllerResets = done.hostResets
    counters.drive.deepestQueue = done.deepestQueue
    counters.issued = UInt32(busy.nonzeroBitCount)
    counters.state = DiskState(drive.status, isServing: phase == .serving).rawValue
  }

  /// Writes what changes with the drive alone.
  func showDrive(in counters: inout DiskCounters) {
    counters.sectorSize = facts?.geometry.sectorSize.rawValue ?? 0
    counters.sectorCount = facts?.geometry.sectorCount ?? 0
    counters.depth = UInt32(facts?.depth ?? 0)
    counters.partitionCount = phase == .serving ? UInt32(reader.table.count) : 0
    switch reader.table.kind {
    case nil: counters.table = PartitionTableKind.none.rawValue
    case .mbr: counters.table = PartitionTableKind.mbr.rawValue
    case .gpt: counters.table = PartitionTableKind.gpt.rawValue
    }
    let (model, serial) = (drive.model, drive.serial)
    for index in 0..<40 { counters.model[index] = index < model.count ? model[index] : 0 }
    for index in 0..<20 { counters.serial[index] = index < serial.count ? serial[index] : 0 }
  }
}

extension DiskState {
  /// What people are told while the service is in `status`.
  init(_ status: DriveStatus, isServing: Bool) {
    switch status {
    case .starting: self = .starting
    case .ready: self = isServing ? .ready : .starting
    case .recovering: self = .recovering
    case .absent: self = .absent
    case .failed: self = .failed
    }
  }
}

extension DiskClientCounters {
  /// Counts a request that has ended.
  mutating func note(_ request: PendingRequest, _ outcome: DiskOutcome, _ now: UInt64) {
    guard outcome == .success else {
      errors &+= 1
      return
    }
    switch request.work {
    case .transfer(let command, _) where command.kind == .read:
      reads &+= 1
      bytesRead &+= request.byteCount
    case .transfer:
      writes &+= 1
      bytesWritten &+= request.byteCount
    case .flush: flushes &+= 1
    case .clear: clears &+= 1
    }
    let time = now &- request.start
    timed &+= 1
    latencySum &+= time
    latencyMaximum = max(latencyMaximum, time)
  }
}
