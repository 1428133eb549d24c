// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import AHCI
import Bits
import Storage

/// What the drive has to do for a request.
enum Work: Sendable {
  /// Moves data.
  case transfer(DiskRequest, DriveData)
  case flush
  /// Clears sectors, segment by segment.
  case clear(ClearList, ClearPurpose)
}

/// A guest's request, checked, and where its answer goes.
struct PendingRequest: Sendable {
  var queue: Int
  var head: UInt16
  /// Where the guest looks how the request ended.
  var status: GuestAddress
  /// Bytes that count as written by the device, the status included, if it succeeds.
  var written: UInt32 = 1
  /// Bytes that are moved: what it costs its client.
  var byteCount: UInt64 = 0
  var work = Work.flush
  /// Whether a flush has to follow before it is answered.
  var isFlushed = false
  /// When it was taken.
  var start: UInt64
}

/// A request that the drive works on, one command after the other.
struct Job: Sendable {
  let client: Int
  let request: PendingRequest
  private var hasMoved = false
  private var hasFlushed = false
  /// Segments that were cleared, and sectors of the next.
  private var segment = 0
  private var sectors: UInt64 = 0

  init(client: Int, _ request: PendingRequest) {
    self.client = client
    self.request = request
  }

  /// The next command, known to the drive by `tag`; `nil` if all is done.
  mutating func next(
    tag: Int, _ facts: DriveFacts, zeroesLimit: UInt64
  ) -> (request: DiskRequest, data: DriveData)? {
    switch request.work {
    case .transfer(var command, let data):
      if !hasMoved {
        hasMoved = true
        command.tag = UInt32(tag)
        return (command, data)
      }
    case .clear(let list, let purpose):
      if let command = clear(list, purpose, tag: tag, facts, zeroesLimit) { return command }
    case .flush: break
    }
    guard isFlush || request.isFlushed, !hasFlushed else { return nil }
    hasFlushed = true
    return (DiskRequest(.flush, tag: UInt32(tag)), .none)
  }

  private var isFlush: Bool { if case .flush = request.work { true } else { false } }

  private mutating func clear(
    _ list: ClearList, _ purpose: ClearPurpose, tag: Int, _ facts: DriveFacts, _ zeroesLimit: UInt64
  ) -> (request: DiskRequest, data: DriveData)? {
    guard segment < list.count else { return nil }
    let part = list[segment]
    let forgets = purpose == .discard || (part.mayForget && facts.discardsToZero && facts.discardSectors > 0)
    let size = facts.geometry.sectorSize.bytes
    let limit = forgets ? UInt64(facts.discardSectors) : min(zeroesLimit / size, 65536)
    let count = min(part.sectors.count - sectors, limit)
    let command = DiskRequest(
      forgets ? .discard : .write, address: part.sectors.first + sectors, sectors: UInt32(count), tag: UInt32(tag))
    sectors += count
    if sectors == part.sectors.count { (segment, sectors) = (segment + 1, 0) }
    return (command, forgets ? .none : .zeroes(byteCount: count * size))
  }
}
