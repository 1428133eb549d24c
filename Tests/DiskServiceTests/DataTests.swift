// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import AHCI
import Bits
import Storage
import Testing

@testable import DiskService

/// Two partitions of 1024 sectors for two clients; their data begin 2048 sectors into the virtual disks.
private func rig(_ configure: (Int, inout DiskClientConfiguration) -> Void = { _, _ in }) -> Rig {
  let disk = TestDisk()
  disk.divide([(2048, 1024), (4096, 1024)])
  let rig = Rig(disk, clients: [TestClient(), TestClient()], configure: configure)
  rig.start()
  return rig
}

/// Where the data of a partition begin on its virtual disk.
private let start = 2048

struct DataTests {
  @Test func `a proposal is answered and the disk described`() {
    let rig = rig()
    #expect(rig.news.map(\.answer) == [1, 1])
    #expect(rig.news.map { $0.description?.state } == [DeviceState.present.rawValue, DeviceState.present.rawValue])
    #expect(rig.counters.clients[1].firstSector == 4096)
    #expect(rig.counters.clients[1].partition == 2)
  }

  @Test func `what is written is on the client's own partition, and read back`() {
    let rig = rig()
    let bytes = (0..<1024).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let write = rig.clients[1].write(start + 5, bytes)
    rig.run()
    #expect(write.flatMap { rig.clients[1].answers[$0] } == 0)
    #expect(Array(rig.disk.bytes[(4096 + 5) * 512..<(4096 + 7) * 512]) == bytes)
    #expect(rig.disk.bytes.indices.filter { rig.disk.bytes[$0] != 0 }.allSatisfy { $0 < 512 || $0 / 512 >= 4101 })
    let read = rig.clients[1].read(start + 5, count: 2)
    rig.run()
    #expect(read.map { rig.clients[1].data($0, count: 1024) } == bytes)
  }

  @Test(arguments: [(0, 1), (start - 1, 1), (start - 1, 2), (start + 1023, 2), (start + 1024, 1), (Int.max >> 1, 1)])
  func `a write that is not on the partition in full is refused, and nothing is written`(sector: Int, count: Int) {
    let rig = rig()
    let before = rig.disk.bytes
    let write = rig.clients[0].write(sector, [UInt8](repeating: 0xaa, count: count * 512))
    rig.run()
    #expect(write.flatMap { rig.clients[0].answers[$0] } == 1)
    #expect(rig.disk.bytes == before)
    #expect(rig.counters.clients[0].refused == 1)
  }

  @Test func `a read across the made-up table takes each part from its place`() {
    let rig = rig()
    rig.disk.bytes[2048 * 512] = 0x77
    let read = rig.clients[0].read(start - 1, count: 2)
    let first = rig.clients[0].read(0)
    rig.run()
    let data = read.map { rig.clients[0].data($0, count: 1024) } ?? []
    #expect(data[0..<512].allSatisfy { $0 == 0 })
    #expect(data[512] == 0x77)
    let table = first.map { rig.clients[0].data($0, count: 512) } ?? []
    #expect(table[510...] == [0x55, 0xaa])
    #expect(table[454..<458] == [0, 8, 0, 0])
  }

  @Test func `several requests are under way at a time, and answered in any order`() {
    let rig = rig()
    let heads = (0..<6).compactMap { rig.clients[0].write(start + $0, [UInt8](repeating: UInt8($0 + 1), count: 512)) }
    rig.serve()
    #expect(rig.disk.pending.count == 6)
    rig.disk.finish(4)
    rig.serve()
    rig.clients[0].poll()
    #expect(Array(rig.clients[0].answers.keys) == [heads[4]])
    rig.run()
    #expect(Set(rig.clients[0].answers.keys) == Set(heads))
    #expect(rig.clients[0].answers.values.allSatisfy { $0 == 0 })
  }

  @Test func `a flush is answered after the drive has done one`() {
    let rig = rig()
    let flush = rig.clients[0].flush()
    rig.serve()
    rig.clients[0].poll()
    #expect(rig.clients[0].answers.isEmpty)
    #expect(rig.disk.pending.map(\.request.kind) == [.flush])
    rig.run()
    #expect(flush.flatMap { rig.clients[0].answers[$0] } == 0)
  }

  @Test func `without write-back, a write is followed by a flush before it is answered`() {
    let rig = rig()
    rig.clients[0].setup.hasWriteback = 0
    rig.service.propose(rig.clients[0].setup, number: 2, of: 0)
    rig.serve()
    rig.clients[0].write(start, [UInt8](repeating: 1, count: 512))
    rig.serve()
    #expect(rig.disk.pending.map(\.request.kind) == [.write])
    rig.disk.finishAll()
    rig.serve()
    rig.clients[0].poll()
    #expect(rig.disk.pending.map(\.request.kind) == [.flush])
    #expect(rig.clients[0].answers.isEmpty)
    rig.run()
    #expect(rig.clients[0].answers.count == 1)
  }

  @Test func `zeroes are written in pieces, and only where they are asked for`() {
    let rig = rig()
    for index in 2048 * 512..<2148 * 512 { rig.disk.bytes[index] = 0xee }
    let list = [start + 10, 40].flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    // le64 sector, le32 count, le32 flags
    let zero = rig.clients[0].request(13, 0, [(16, false)]) {
      rig.clients[0].memory.store(Array(list.prefix(16)), at: $0)
    }
    rig.run()
    #expect(zero.flatMap { rig.clients[0].answers[$0] } == 0)
    let kept = (2048 * 512..<2148 * 512).filter { rig.disk.bytes[$0] == 0xee }.map { $0 / 512 }
    #expect(Set(kept) == Set(2048..<2148).subtracting(2058..<2098))
    #expect(rig.disk.history.filter { $0.kind == .write }.map(\.sectors) == [16, 16, 8])
  }

  @Test func `an error of the drive is the request's alone`() {
    let rig = rig()
    rig.disk.badSectors = [2050]
    let bad = rig.clients[0].read(start + 2)
    let good = rig.clients[0].read(start + 3)
    rig.run()
    #expect(bad.flatMap { rig.clients[0].answers[$0] } == 1)
    #expect(good.flatMap { rig.clients[0].answers[$0] } == 0)
    #expect(rig.counters.clients[0].errors == 1)
  }

  @Test func `a read-only disk takes no write`() {
    let rig = rig { _, client in client.isReadOnly = 1 }
    let write = rig.clients[0].write(start, [UInt8](repeating: 1, count: 512))
    rig.run()
    #expect(write.flatMap { rig.clients[0].answers[$0] } == 1)
    #expect(rig.disk.history.allSatisfy { $0.kind == .read })
  }

  @Test func `no client keeps another from the drive`() {
    let rig = rig()
    for _ in 0..<16 { rig.clients[0].write(start, [UInt8](repeating: 1, count: 4096)) }
    rig.serve()
    rig.clients[1].read(start)
    rig.serve()
    // The drive is full with the first one's; the next slot is the other's.
    #expect(rig.disk.pending.count == 8)
    rig.disk.finish(0)
    rig.serve()
    #expect(rig.disk.pending.last?.request.kind == .read)
    rig.run()
    #expect(rig.clients[0].answers.count == 16)
  }
}
