// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AHCI

/// Reads, writes and the rest on a drive with no faults.
struct RequestTests {
  static let drives = [
    ModelDrive.identity(), ModelDrive.identity(depth: 4), ModelDrive.identity(depth: 0),
    ModelDrive.identity(physicalExponent: 3), ModelDrive.identity(logical: 4096),
  ]

  private func drive(_ identity: [UInt16]) -> ModelDrive {
    let drive = ModelDrive(identity)
    drive.sectorSize = identity[117] == 0 ? 512 : Int(identity[117]) * 2
    return drive
  }

  @Test(arguments: drives)
  func `what is written is on the drive and is read again`(identity: [UInt16]) throws {
    let rig = try Rig.ready(drive(identity))
    let size = rig.drive.sectorSize
    let written = (0..<3 * size).map { UInt8(truncatingIfNeeded: $0 / 7) }
    rig.data(0, written.count).copyBytes(from: written)

    #expect(try rig.perform(.write, 1000, 3) == .success)
    #expect(try rig.perform(.read, 999, 5, at: 0x10000) == .success)
    #expect(rig.drive.sectors.keys.sorted() == [1000, 1001, 1002])
    #expect(Array(rig.data(0x10000 + UInt64(size), 3 * size)) == written)
    #expect(Array(rig.data(0x10000, size)) == rig.drive.contents(999))
    #expect(rig.driver.counters.bytesWritten == UInt64(3 * size))
    #expect(rig.driver.counters.bytesRead == UInt64(5 * size))
    #expect(rig.model.wrongs == [])
  }

  @Test func `only an interrupt or a time limit makes the driver look at a controller that works`() throws {
    let rig = try Rig.ready()
    rig.port.isPatient = true
    func needsService(at time: UInt64) -> Bool { rig.driver.needsService(at: time) }
    #expect(!needsService(at: rig.now))
    try rig.submit(.read, 0, 1)
    rig.issue()
    let time = rig.driver.nextDeadline(after: rig.now)
    let limit = try #require(time)
    #expect(!needsService(at: limit - 1))
    #expect(needsService(at: limit))
  }

  @Test func `a drive with a queue has many commands at a time, and answers as it likes`() throws {
    let rig = try Rig.ready()
    rig.port.isReversed = true
    rig.port.isPatient = true
    for tag in 0..<32 { try rig.submit(.read, UInt64(tag), 1, tag: UInt32(tag), at: UInt64(tag) * 512) }
    #expect(throws: RequestError.full) { try rig.submit(.read, 0, 1) }
    rig.issue()
    rig.port.work(1)
    rig.run(Rig.millisecond)

    #expect(rig.takeOutcomes() == [31: .success])
    try rig.submit(.read, 31, 1, tag: 99)
    rig.issue()
    rig.port.work()
    rig.run(Rig.millisecond)
    #expect(Set(rig.takeOutcomes().keys) == Set(0..<31).union([99]))
    #expect(rig.driver.counters.deepestQueue == 32)
    for tag in 1..<32 {
      #expect(Array(rig.data(UInt64(tag) * 512, 512)) == rig.drive.contents(UInt64(tag)))
    }
    #expect(rig.drive.history.dropFirst().map(\.code).allSatisfy { $0 == 0x60 })
    #expect(rig.model.wrongs == [])
  }

  @Test func `the depth is the lesser of the drive's and the controller's`() throws {
    let shallow = try Rig.ready(ModelDrive(ModelDrive.identity(depth: 4)))
    #expect(shallow.driver.requestLimits.depth == 4)

    let narrow = try Rig.ready { $0.capabilities = 0xc000_0205 }
    #expect(narrow.driver.requestLimits.depth == 3)
    for tag in 0..<3 as Range<UInt32> { try narrow.submit(.read, 0, 1, tag: tag) }
    #expect(throws: RequestError.full) { try narrow.submit(.read, 0, 1) }
  }

  @Test func `without a queue one command goes after the other, in order`() throws {
    for capabilities in [0xc000_1f05, 0x8000_1f05] as [UInt32] {
      let rig = try Rig.ready(ModelDrive(ModelDrive.identity(depth: capabilities == 0x8000_1f05 ? 32 : 0))) {
        $0.capabilities = capabilities
      }
      for tag in 0..<8 { try rig.submit(tag % 2 == 0 ? .write : .read, UInt64(tag), 1, tag: UInt32(tag)) }
      rig.issue()
      rig.run()

      #expect(rig.drive.history.dropFirst().map(\.lba) == Array(0..<8))
      #expect(Set(rig.drive.history.dropFirst().map(\.code)) == [0x25, 0x35])
      #expect(rig.takeOutcomes().count == 8)
      #expect(rig.driver.counters.deepestQueue == 1)
      #expect(rig.model.wrongs == [])
    }
  }

  @Test func `a flush waits for what came before, and holds up what comes after`() throws {
    let rig = try Rig.ready()
    rig.port.isPatient = true
    try rig.submit(.write, 1, 1, tag: 1)
    try rig.submit(.flush, tag: 2)
    try rig.submit(.write, 3, 1, tag: 3)
    rig.issue()
    rig.run(Rig.millisecond)
    #expect(rig.takeOutcomes() == [:])
    rig.port.work(1)
    rig.run(Rig.millisecond)
    #expect(rig.takeOutcomes() == [1: .success])
    rig.port.work()
    rig.run(Rig.millisecond)
    rig.port.work()
    rig.run(Rig.millisecond)

    #expect(rig.takeOutcomes() == [2: .success, 3: .success])
    #expect(rig.drive.history.dropFirst().map(\.code) == [0x61, 0xea, 0x61])
    #expect(rig.drive.unflushed == [3])
    #expect(rig.model.wrongs == [])
  }

  @Test func `flushes that wait together become one`() throws {
    let rig = try Rig.ready()
    rig.port.isPatient = true
    try rig.submit(.write, 1, 1, tag: 1)
    for tag in 2..<6 as Range<UInt32> { try rig.submit(.flush, tag: tag) }
    rig.issue()
    rig.port.work()
    rig.run(Rig.millisecond)
    // Submitted after the flush was issued: this one needs its own.
    try rig.submit(.flush, tag: 9)
    rig.issue()
    rig.port.work()
    rig.run(Rig.millisecond)
    #expect(rig.takeOutcomes() == [1: .success, 2: .success, 3: .success, 4: .success, 5: .success])
    rig.port.work()
    rig.run(Rig.millisecond)

    #expect(rig.takeOutcomes() == [9: .success])
    #expect(rig.drive.history.map(\.code) == [0xec, 0x61, 0xea, 0xea])
    #expect(rig.driver.counters.flushes == 5)
  }

  @Test func `a write can be durable by itself`() throws {
    let queued = try Rig.ready()
    #expect(try queued.perform(.durableWrite, 1, 1) == .success)
    #expect(queued.drive.history.last?.code == 0x61)
    #expect(queued.drive.history.last?.device == 0xc0)

    let plain = try Rig.ready(ModelDrive(ModelDrive.identity(depth: 0)))
    #expect(try plain.perform(.durableWrite, 1, 1) == .success)
    #expect(plain.drive.history.last?.code == 0x3d)
  }

  @Test func `sectors are discarded, up to 64 ranges in one command`() throws {
    let rig = try Rig.ready()
    #expect(rig.driver.requestLimits.discardSectors == 64 * 65535)
    #expect(try rig.perform(.discard, 10, 65540) == .success)

    #expect(rig.drive.sectors.count == 65540)
    #expect(rig.drive.sectors[65549] == [UInt8](repeating: 0, count: 512))
    #expect(rig.driver.counters.discards == 1)
    #expect(rig.model.wrongs == [])
  }

  @Test func `the write cache is switched, and a reset does not change that`() throws {
    let rig = try Rig.ready()
    #expect(try rig.perform(.disableWriteCache) == .success)
    #expect(rig.driver.drive?.isWriteCacheEnabled == false)
    // A drive that falls back to its default.
    rig.drive.identity[85] = 0x20
    rig.drive.deafSectors = [5]
    #expect(try rig.perform(.read, 5, 1) == .timedOut)

    #expect(rig.driver.drive?.isWriteCacheEnabled == false)
    #expect(rig.drive.identity[85] == 0)
    #expect(try rig.perform(.enableWriteCache) == .success)
    #expect(rig.driver.drive?.isWriteCacheEnabled == true)
    #expect(rig.model.wrongs == [])
  }

  @Test func `what a drive cannot do is refused`() throws {
    var words = ModelDrive.identity(trim: false)
    (words[82], words[83], words[84]) = (0, 0x5400, 0x4000)
    let rig = try Rig.ready(ModelDrive(words))

    for kind in [.discard, .durableWrite, .enableWriteCache, .disableWriteCache] as [DiskRequest.Kind] {
      #expect(throws: RequestError.unsupported) { try rig.submit(kind, 0, 1) }
    }
    // A drive without the command has nothing to flush.
    #expect(try rig.perform(.flush) == .success)
    #expect(rig.drive.history.map(\.code) == [0xec])
  }

  @Test(
    arguments: [(0, 0), (1 << 21, 1), (1 << 21 - 1, 2), (0, 65537), (.max, 1), (1 << 48, 1)] as [(UInt64, UInt32)])
  func `sectors that are not on the drive are refused`(address: UInt64, sectors: UInt32) throws {
    let rig = try Rig.ready()

    #expect(throws: RequestError.outOfRange) { try rig.submit(.read, address, sectors) }
    #expect(try rig.perform(.read, 1 << 21 - 1, 1) == .success)
  }

  @Test func `before there is a drive nothing is taken`() {
    let rig = Rig { $0.resetTime = 1 }

    #expect(throws: RequestError.notReady) { try rig.submit(.read, 0, 1) }
  }

  @Test func `a lost interrupt delays a command, but does not fail it`() throws {
    let rig = try Rig.ready()
    rig.port.losesInterrupts = true

    #expect(try rig.perform(.read, 0, 1) == .success)
    #expect(rig.driver.counters.timeouts == 0)
    #expect(try rig.perform(.flush) == .success)
    #expect(rig.driver.counters.portResets == 0)
  }
}
