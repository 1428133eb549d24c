// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import AHCI
import Bits
import Storage
import Virtio

@testable import DiskService

/// What a test sees of its drive, and does to it.
final class TestDisk {
  struct Command {
    var request: DiskRequest
    var pieces: [(address: GuestAddress, count: Int)]
    var memory: GuestMemory?
  }

  var bytes: [UInt8]
  var facts: DriveFacts?
  var status = DriveStatus.ready
  var isQuiet = true
  /// Commands that are not done.
  var pending: [Command] = []
  var ended: [Completion] = []
  /// All commands there ever were.
  var history: [DiskRequest] = []
  /// Sectors that cannot be read or written.
  var badSectors: Set<UInt64> = []
  var buffer: [UInt8] = []
  /// Whether commands for the service itself are done at once, which tests of clients want.
  var readsTables = true

  init(sectors: Int = 8192, depth: Int = 8) {
    bytes = [UInt8](repeating: 0, count: sectors * 512)
    facts = DiskGeometry(sectorSize: .bytes512, sectorCount: UInt64(sectors)).map {
      DriveFacts(geometry: $0, depth: depth)
    }
  }

  /// Gives the disk an MBR with these partitions.
  func divide(_ partitions: [(first: Int, count: Int)]) {
    for (index, partition) in partitions.enumerated() {
      let place = 446 + 16 * index
      bytes[place + 4] = 0x83
      for byte in 0..<4 {
        bytes[place + 8 + byte] = UInt8(truncatingIfNeeded: partition.first >> (8 * byte))
        bytes[place + 12 + byte] = UInt8(truncatingIfNeeded: partition.count >> (8 * byte))
      }
    }
    (bytes[510], bytes[511]) = (0x55, 0xaa)
  }

  /// Does one of the pending commands.
  func finish(_ index: Int) {
    let command = pending.remove(at: index)
    let request = command.request
    let sectors = request.address..<request.address + UInt64(request.sectors)
    if !badSectors.isDisjoint(with: sectors), request.kind.isTransfer {
      ended.append(Completion(tag: request.tag, outcome: .mediumError(nil)))
      return
    }
    var place = Int(request.address) * 512
    for piece in command.pieces {
      move(request.kind, place, piece, command.memory)
      place += piece.count
    }
    if command.memory == nil { moveOwn(request, place) }
    ended.append(Completion(tag: request.tag, outcome: .success))
  }

  private func move(
    _ kind: DiskRequest.Kind, _ place: Int, _ piece: (address: GuestAddress, count: Int), _ memory: GuestMemory?
  ) {
    try? memory?.withBytes(piece.address, count: UInt64(piece.count)) { span in
      for index in 0..<piece.count {
        if kind == .read {
          span.store(bytes[place + index], at: index)
        } else {
          bytes[place + index] = span.bytes.load(index) ?? 0
        }
      }
    }
  }

  /// What is not a guest's: the service's own reading, and zeroes.
  private func moveOwn(_ request: DiskRequest, _ place: Int) {
    let range = place..<place + Int(request.sectors) * 512
    switch request.kind {
    case .read: buffer = Array(bytes[range])
    case .write, .discard: bytes.replaceSubrange(range, with: repeatElement(0, count: range.count))
    default: break
    }
  }

  func finishAll() {
    while !pending.isEmpty { finish(0) }
  }
}

/// A drive whose commands are done when a test says so.
struct TestDrive: ~Copyable, DiskDrive {
  let disk: TestDisk
  var zeroesLimit: UInt64 { 16 * 512 }
  var status: DriveStatus { disk.status }
  var facts: DriveFacts? { disk.facts }
  var isQuiet: Bool { disk.isQuiet }
  var counters: Counters { Counters() }
  var model: DriveText { DriveText() }
  var serial: DriveText { DriveText() }

  mutating func service(now: UInt64, hasInterrupt: Bool) {}
  func nextDeadline(after now: UInt64) -> UInt64? { nil }

  mutating func submit(
    _ request: DiskRequest, _ data: DriveData, _ chain: borrowing DescriptorChain
  ) throws(RequestError) {
    var command = TestDisk.Command(request: request, pieces: [], memory: nil)
    if case .chain(let part, let memory, _) = data {
      command.memory = memory
      chain.eachPiece(of: part) { (address, count) throws(Never) in command.pieces.append((address, Int(count))) }
    }
    disk.history.append(request)
    disk.pending.append(command)
    if disk.readsTables, request.tag == 32 { disk.finish(disk.pending.count - 1) }
  }

  mutating func issue(now: UInt64) {}
  mutating func takeCompletion() -> Completion? { disk.ended.isEmpty ? nil : disk.ended.removeFirst() }

  func withBuffer<R>(_ byteCount: Int, _ body: (borrowing RawSpan) -> R) -> R {
    let buffer = disk.buffer
    return body(buffer.span.bytes.extracting(0..<min(byteCount, buffer.count)))
  }
}
