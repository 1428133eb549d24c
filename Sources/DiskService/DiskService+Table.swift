// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import AHCI
import Bits
import Storage
import Virtio

/// From a drive to what each client has of it.
extension DiskService where Drive: ~Copyable {
  /// What the commands are known by that read the partition table.
  private static var readingTag: UInt32 { 32 }

  /// Follows what the drive does.
  mutating func follow(_ counters: inout DiskCounters) {
    switch drive.status {
    case .absent, .failed:
      if phase != .idle { loseDrive(&counters) }
    case .ready:
      guard let found = drive.facts, facts == nil || facts?.generation != found.generation else { return }
      facts = found
      phase = .reading
      reader = PartitionReader(found.geometry)
      act(on: reader.start(), &counters)
    case .starting, .recovering: break
    }
  }

  private mutating func loseDrive(_ counters: inout DiskCounters) {
    messages.add(.error, facts == nil ? "\(name): there is no drive" : "\(name): the drive is gone")
    phase = .idle
    facts = nil
    for client in 0..<clientCount { give(client, .nothing, &counters) }
    showDrive(in: &counters)
  }

  // MARK: - Reading

  /// The drive has read what the reader asked for, or could not.
  mutating func feed(_ isRead: Bool, _ counters: inout DiskCounters) {
    guard phase == .reading else { return }
    let count = Int(expectedBytes)
    var step = PartitionReader.Step.done
    if isRead {
      step = drive.feed(&reader, count)
    } else {
      step = reader.feedNothing()
    }
    act(on: step, &counters)
  }

  /// Asks the drive for what the reader wants, or goes on with what it has found.
  private mutating func act(on first: PartitionReader.Step, _ counters: inout DiskCounters) {
    var step = first
    while case .read(let sector, let count) = step {
      expectedBytes = count * (facts?.geometry.sectorSize.bytes ?? 0)
      let request = DiskRequest(.read, address: sector, sectors: UInt32(count), tag: Self.readingTag)
      do throws(RequestError) {
        try drive.submit(request, .buffer(byteCount: expectedBytes), clients[0].chain)
        return
      } catch { step = reader.feedNothing() }
    }
    phase = .serving
    reportDrive()
    for client in 0..<clientCount { give(client, part(of: client), &counters) }
    showDrive(in: &counters)
  }

  // MARK: - Dealing out

  /// What a client is to have; what keeps it from that is told to people.
  private mutating func part(of client: Int) -> Holding {
    let line: LogLine
    do throws(PartProblem) {
      return .part(try rules(for: client))
    } catch {
      switch error {
      case .meaningless: line = "the boot image does not say what is meant"
      case .lookup(let problem): line = problem.line
      case .taken(let other):
        line = "\(clients[other].configuration.machine) has it already, and only VMs that read alone can share it"
      }
    }
    let isOptional = clients[client].configuration.isOptional != 0
    messages.add(isOptional ? .warning : .error, "\(title(of: client)): \(wish(of: client)) of \(name): \(line)")
    return .nothing
  }

  private func rules(for client: Int) throws(PartProblem) -> BlockRules {
    guard let facts, let selector = clients[client].selector else { throw .meaningless }
    let isReadOnly = clients[client].configuration.isReadOnly != 0 || facts.isReadOnly
    let disk: VirtualDisk
    do throws(LookupError) {
      disk = try VirtualDisk(selector, of: reader.table, isReadOnly: isReadOnly)
    } catch { throw .lookup(error) }
    for other in 0..<client {
      guard case .part(let rules) = clients[other].holding, disk.conflicts(with: rules.disk) else { continue }
      throw .taken(client: other)
    }
    return BlockRules(disk: disk, limits: BlockLimits(facts, queues: clients[client].configuration.queueCount))
  }

  /// Gives a client its part, or nothing, and tells its VMM.
  private mutating func give(_ client: Int, _ holding: Holding, _ counters: inout DiskCounters) {
    clients[client].holding = holding
    clients[client].news.description = DeviceDescription(holding, facts)
    clients[client].news.events.insert(.configurationChanged)
    signalled.insert(.client(client))
    let isUp = clients[client].isLive
    if clients[client].failure == nil {
      counters.clients[client].state = (isUp ? .up : downState(of: client)).rawValue
    }
    guard case .part(let rules) = holding else {
      (counters.clients[client].firstSector, counters.clients[client].sectorCount) = (0, 0)
      return
    }
    counters.clients[client].firstSector = rules.disk.real.first
    counters.clients[client].sectorCount = rules.disk.real.count
    counters.clients[client].partition = number(of: rules.disk.real)
  }

  /// The number of the partition that has these sectors; 0 if it is none.
  private func number(of range: DiskRange) -> UInt32 {
    for index in 0..<reader.table.count {
      let partition = reader.table[index]
      if partition.first == range.first, partition.count == range.count { return partition.number }
    }
    return 0
  }
}

/// Why a client gets nothing of the disk.
private enum PartProblem: Error {
  /// The configuration says nothing that can be understood.
  case meaningless
  case lookup(LookupError)
  /// It is, in part, another client's, and one of the two may write.
  case taken(client: Int)
}

extension DiskDrive where Self: ~Copyable {
  /// Feeds the reader with the first `count` bytes of the buffer.
  fileprivate borrowing func feed(_ reader: inout PartitionReader, _ count: Int) -> PartitionReader.Step {
    var step = PartitionReader.Step.done
    withBuffer(count) { step = reader.feed($0) }
    return step
  }
}

extension BlockLimits {
  fileprivate init(_ facts: DriveFacts, queues: UInt32) {
    // With header and status, a request still fits a queue, a chain and a command of AHCI.
    self.init(segments: 240, segmentBytes: 128 << 10, queues: UInt16(clamping: max(queues, 1)))
    discardUnits = UInt32(clamping: UInt64(facts.discardSectors) * facts.geometry.sectorSize.units)
    writeZeroesUnits = 1 << 17
    writeZeroesMayForget = facts.discardsToZero && facts.discardSectors > 0
  }
}

extension DeviceDescription {
  fileprivate init(_ holding: Holding, _ facts: DriveFacts?) {
    self.init()
    state = DeviceState.missing.rawValue
    guard case .part(let rules) = holding, let facts else { return }
    state = DeviceState.present.rawValue
    var topology = BlockTopology()
    topology.physicalExponent = facts.physicalExponent
    topology.alignmentOffset = facts.alignmentOffset
    let description = BlockDescription(rules, topology: topology)
    features = description.features
    let size = MemoryLayout<BlockConfiguration>.size
    configurationSize = UInt32(size)
    var bytes = configuration
    // SAFETY: a configuration is 60 bytes without padding, fewer than there is room for.
    unsafe withUnsafeBytes(of: description.configuration) { source in
      for index in 0..<min(size, bytes.count) { bytes[index] = unsafe source[index] }
    }
    configuration = bytes
  }
}
