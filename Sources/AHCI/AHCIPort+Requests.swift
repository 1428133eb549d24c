// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The way of a request through a port that is ready.
///
/// Requests are issued in the order of their submission. Reads and writes of a drive with a queue are issued together;
/// all else is issued alone, when everything before it has ended (Serial ATA forbids the mixture; AHCI 1.3.1, §5.3.2.1).
extension AHCIPort {
  /// Whether controller and drive both queue commands.
  var hasQueue: Bool { capabilities.contains(.nativeQueueing) && drive.map { $0.queueDepth > 0 } == true }

  var highestAddress: UInt64 { capabilities.contains(.longAddresses) ? .max : 0xffff_ffff }

  /// Takes a request; it is issued by `issue`.
  mutating func submit(
    _ request: DiskRequest, segments: (inout ScatterList) throws(RequestError) -> Void
  ) throws(RequestError) {
    guard let drive else { throw phase == .absent || isFailed ? .gone : .notReady }
    try check(request, drive)
    guard let slot = slots.free else { throw .full }
    var list = ScatterList(memory: memory, table: slot, highestAddress: highestAddress)
    if request.kind.isTransfer {
      try segments(&list)
      guard list.byteCount == UInt64(request.sectors) * UInt64(drive.sectorSize) else { throw .lengthMismatch }
    }
    slots.add(request, list, at: slot)
    if request.kind == .flush, !drive.hasFlush { slots.finish(slot, .success) }
  }

  private var isFailed: Bool { if case .failed = phase { true } else { false } }

  private func check(_ request: DiskRequest, _ drive: DriveIdentity) throws(RequestError) {
    switch request.kind {
    case .durableWrite where !drive.hasDurableWrites: throw .unsupported
    case .discard where !drive.hasDiscard: throw .unsupported
    case .enableWriteCache where !drive.hasWriteCache: throw .unsupported
    case .disableWriteCache where !drive.hasWriteCache: throw .unsupported
    case .flush, .enableWriteCache, .disableWriteCache: return
    case .read, .write, .durableWrite, .discard:
      let most: UInt32 = request.kind == .discard ? PortMemory.rangesLimit : 65536
      guard request.sectors > 0, request.sectors <= most,
        fits(request.address, count: UInt64(request.sectors), in: drive.sectorCount)
      else { throw .outOfRange }
    }
  }

  // MARK: - To the drive

  /// Gives the drive all that it may have now, with one write to the port.
  mutating func issue(_ now: UInt64) {
    guard phase == .ready else { return }
    var queued = SlotSet.none
    while let slot = slots.oldestWaiting, mayIssue(slot) {
      let isQueued = isQueued(slot)
      prepare(slot, isQueued: isQueued)
      slots.issue(slot, deadline: now &+ (slots[slot].request.kind.isTransfer ? limits.transfer : limits.upkeep))
      counters.commands += 1
      if isQueued {
        queued.insert(.bit(slot))
      } else {
        ring(.bit(slot))
      }
    }
    guard !queued.isEmpty else { return }
    counters.deepestQueue = max(counters.deepestQueue, UInt64(slots.issued.count))
    memory.area.publish()
    // The drive's answer clears bits here: they are set before it can come (§5.3.2.1).
    space[.active] = queued
    space[.issue] = queued
  }

  private func isQueued(_ slot: Int) -> Bool { hasQueue && slots[slot].request.kind.isTransfer }

  /// The slot of a command that is not queued and that the drive has.
  var exclusive: Int? { slots.issued.first.flatMap { isQueued($0) ? nil : $0 } }

  private func mayIssue(_ slot: Int) -> Bool {
    if slots.issued.isEmpty { return true }
    return isQueued(slot) && exclusive == nil && !slots.isolated.intersects(slots.issued | .bit(slot))
  }

  private mutating func prepare(_ slot: Int, isQueued: Bool) {
    let request = slots[slot].request
    var entries = slots[slot].entries
    if request.kind == .discard {
      memory.setRanges(from: request.address, sectors: request.sectors, ofTable: slot)
      entries = 1
    }
    let isWrite = request.kind != .read && entries > 0
    memory.setHeader(slot, table: slot, entries: entries, isWrite: isWrite)
    memory.setCommand(isQueued ? CommandFrame(queued: request, slot: slot) : CommandFrame(request), ofTable: slot)
  }

  private mutating func ring(_ slot: SlotSet) {
    counters.deepestQueue = max(counters.deepestQueue, 1)
    memory.area.publish()
    space[.issue] = slot
  }

  // MARK: - From the drive

  /// Ends the requests that the drive has done.
  mutating func harvest(_ now: UInt64) {
    guard !slots.issued.isEmpty else { return }
    if let slot = exclusive {
      guard !space[.issue].contains(.bit(slot)) else { return }
      if space[.taskFile].intersects(.failed | .fault) {
        recover(from: .taskFile, now)
      } else {
        end(slot)
      }
    } else {
      harvestQueued()
    }
  }

  /// Ends the queued commands that the drive has done: their bits are gone, whatever has become of others.
  mutating func harvestQueued() {
    guard exclusive == nil else { return }
    var done = slots.issued.subtracting(space[.active])
    while let slot = done.takeFirst() { end(slot) }
  }

  private mutating func end(_ slot: Int) {
    switch slots[slot].request.kind {
    case .enableWriteCache: noteWriteCache(true)
    case .disableWriteCache: noteWriteCache(false)
    default: break
    }
    slots.finish(slot, .success)
  }

  private mutating func noteWriteCache(_ isEnabled: Bool) {
    wantedWriteCache = isEnabled
    drive?.isWriteCacheEnabled = isEnabled
  }

  /// Gives the caller a request that has ended.
  mutating func takeCompletion() -> Completion? {
    guard let slot = slots.takeFinished() else { return nil }
    count(slot)
    return Completion(tag: slot.request.tag, outcome: slot.outcome)
  }

  private mutating func count(_ slot: Slot) {
    guard slot.outcome == .success else {
      counters.failures += 1
      return
    }
    switch slot.request.kind {
    case .read:
      counters.reads += 1
      counters.bytesRead &+= slot.byteCount
    case .write, .durableWrite:
      counters.writes += 1
      counters.bytesWritten &+= slot.byteCount
    case .flush: counters.flushes += 1
    case .discard: counters.discards += 1
    case .enableWriteCache, .disableWriteCache: break
    }
  }
}
