// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import AHCI
import Bits
import Storage
import Virtio

/// What came of looking for a client's next request.
enum Taken {
  /// There is none.
  case nothing
  /// There was one that needed no drive.
  case answered
  /// One is at the head of the line.
  case waits
}

/// From a descriptor chain to a checked request.
extension Client {
  /// Takes the next request of all queues, which are looked at in turn.
  mutating func take(
    _ facts: DriveFacts, now: UInt64, _ counters: inout DiskClientCounters
  ) throws(ClientFailure) -> Taken {
    guard let memory else { return .nothing }
    for offset in 0..<queues.count {
      let number = (firstQueue + offset) % queues.count
      let source: RequestQueue.Source
      do throws(QueueError) { source = try queues[number]?.next(into: &chain) ?? .nowhere } catch {
        throw .queue(number, error)
      }
      if source == .nowhere { continue }
      if source == .earlierLife { counters.resumed &+= 1 }
      firstQueue = number + 1
      guard let status = chain.lastWritableByte else { throw .noStatus(number) }
      var request = PendingRequest(queue: number, head: chain.head, status: status, start: now)
      do throws(BlockRefusal) {
        if try prepare(&request, memory, facts) {
          pending = request
          return .waits
        }
        answer(request, .done)
      } catch {
        counters.refused &+= 1
        request.written = 1
        answer(request, error.status)
      }
      return .answered
    }
    return .nothing
  }

  /// Answers a request.
  mutating func answer(_ request: PendingRequest, _ status: BlockStatus) {
    guard let memory else { return }
    // The byte lies in a buffer that was checked.
    try? memory.write(status.rawValue, at: request.status)
    queues[request.queue]?.answer(request.head, written: status == .done ? request.written : 1)
  }

  /// Checks the request in `chain` and does what needs no drive.
  /// - Returns: Whether there is work for the drive.
  private borrowing func prepare(
    _ request: inout PendingRequest, _ memory: GuestMemory, _ facts: DriveFacts
  ) throws(BlockRefusal) -> Bool {
    guard case .part(let rules) = holding else { throw .range(.beyondEnd) }
    var header = InlineArray<16, UInt8>(repeating: 0)
    guard chain.readableCount >= header.count else { throw .header }
    read(0, into: &header, memory)
    let outgoing = UInt64(chain.readableCount - header.count)
    let incoming = UInt64(chain.writableCount - 1)
    // SAFETY: any bits are bytes.
    switch try unsafe rules.check(header: header.span.bytes, outgoing: outgoing, incoming: incoming) {
    case .read(let range):
      request.written = UInt32(truncatingIfNeeded: incoming + 1)
      return prepareRead(range, rules, &request, memory)
    case .write(let range):
      let kind: DiskRequest.Kind = hasWriteback || !facts.hasDurableWrites ? .write : .durableWrite
      request.isFlushed = !hasWriteback && !facts.hasDurableWrites
      let part = ChainPart(isWritable: false, offset: UInt64(header.count), count: outgoing)
      request.byteCount = outgoing
      request.work = .transfer(range.request(kind), data(part, memory))
      return true
    case .flush: return true
    case .identify:
      writeName(memory)
      request.written = UInt32(BlockRequest.nameSize + 1)
      return false
    case .discard(let count):
      request.work = .clear(try list(count, .discard, rules, memory), .discard)
      return true
    case .writeZeroes(let count):
      let list = try list(count, .writeZeroes, rules, memory)
      for index in 0..<list.count { request.byteCount += list[index].sectors.count * facts.geometry.sectorSize.bytes }
      request.isFlushed = !hasWriteback
      request.work = .clear(list, .writeZeroes)
      return true
    }
  }

  /// Writes what is made up of the sectors at once, and leaves what is real to the drive.
  private borrowing func prepareRead(
    _ range: SectorRange, _ rules: BlockRules, _ request: inout PendingRequest, _ memory: GuestMemory
  ) -> Bool {
    var hasWork = false
    var extents = rules.disk.extents(range)
    var part = ChainPart(isWritable: true, offset: 0, count: 0)
    while let extent = extents.next() {
      switch extent {
      case .disk(let sectors):
        part.count = sectors.count * rules.disk.sectorSize.bytes
        request.byteCount = part.count
        request.work = .transfer(sectors.request(.read), data(part, memory))
        hasWork = true
      case .madeUp(var place, let count):
        part.count = count
        chain.eachPiece(of: part) { (address, count) throws(Never) in
          // The piece lies in a buffer that was checked.
          try? memory.withBytes(address, count: count) { rules.disk.makeUp(&$0, from: place) }
          place += count
        }
      }
      part.offset += part.count
    }
    return hasWork
  }

  private borrowing func data(_ part: ChainPart, _ memory: GuestMemory) -> DriveData {
    .chain(part, memory, guest: Int(configuration.machineNumber))
  }

  private borrowing func read<let count: Int>(
    _ offset: Int, into bytes: inout InlineArray<count, UInt8>, length: Int = count, _ memory: GuestMemory
  ) {
    var span = bytes.mutableSpan
    // SAFETY: any bits are bytes.
    var all = unsafe span.mutableBytes
    var part = all._mutatingExtracting(0..<length)
    // There are as many, by the caller's word.
    try? chain.read(offset, into: &part, in: memory)
  }

  private borrowing func list(
    _ count: Int, _ purpose: ClearPurpose, _ rules: BlockRules, _ memory: GuestMemory
  ) throws(BlockRefusal) -> ClearList {
    var bytes = InlineArray<256, UInt8>(repeating: 0)
    guard count <= bytes.count else { throw .tooLong }
    read(BlockRequest.headerSize, into: &bytes, length: count, memory)
    // SAFETY: any bits are bytes.
    return try unsafe ClearList(bytes.span.bytes.extracting(0..<count), purpose, rules)
  }

  /// The disk's serial number: what the VM's description calls it.
  private borrowing func writeName(_ memory: GuestMemory) {
    let name = configuration.name
    // SAFETY: any bits are bytes.
    try? unsafe chain.write(name.bytes.span.bytes.extracting(0..<BlockRequest.nameSize), in: memory)
  }
}

extension DiskRange {
  fileprivate func request(_ kind: DiskRequest.Kind) -> DiskRequest {
    DiskRequest(kind, address: first, sectors: UInt32(truncatingIfNeeded: count), tag: 0)
  }
}
