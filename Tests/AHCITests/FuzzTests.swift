// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import AHCI

/// Registers that answer anything.
private final class MadRegisters: RegisterSpace {
  var random: SplitMix64
  let area: UnsafeMutableRawBufferPointer
  /// How many of its answers are what the register last took, in eighths.
  let sanity: Int
  private var written: [Int: UInt32] = [:]

  init(seed: UInt64, area: UnsafeMutableRawBufferPointer) {
    random = SplitMix64(seed: seed)
    self.area = area
    sanity = Int(seed % 9)
  }

  func read(_ offset: Int) -> UInt32 {
    #expect(offset >= 0 && offset < 0x1100 && offset % 4 == 0)
    if random.next() % 8 < sanity { return written[offset] ?? plausible(offset) }
    scribble()
    switch random.next() % 4 {
    case 0: return .max
    case 1: return 0
    default: return UInt32(truncatingIfNeeded: random.next())
    }
  }

  /// What lets a driver get on.
  private func plausible(_ offset: Int) -> UInt32 {
    switch offset {
    case 0x00: 0xc000_1f05
    case 0x0c: 1
    case 0x24: 0
    case 0x100...:
      switch offset % 0x80 {
      case 0x20: 0x50
      case 0x24: 0x101
      case 0x28: 0x133
      default: 0
      }
    default: 0
    }
  }

  func write(_ value: UInt32, at offset: Int) {
    #expect(offset >= 0 && offset < 0x1100 && offset % 4 == 0)
    let isSettled = offset >= 0x100 && [0x18, 0x34, 0x38].contains(offset % 0x80)
    written[offset] = isSettled && random.next() % 2 == 0 ? value & ~0xc001 : value
    if offset == 0x04 { written[offset] = value & ~1 }
    if random.next() % 4 == 0 {
      ModelDrive.block(ModelDrive.identity()).withUnsafeBytes { area[0x600..<0x800].copyBytes(from: $0) }
      written[0x138] = 0
    }
  }

  private func scribble() {
    guard random.next() % 16 == 0 else { return }
    area[Int(random.next() % UInt64(area.count))] = UInt8(truncatingIfNeeded: random.next())
  }
}

struct FuzzTests {
  @Test func `a mad controller neither traps nor holds the driver, and no request ends twice`() throws {
    var taken = 0
    for seed in 0..<UInt64(fuzzRounds(25)) {
      let memory = ModelMemory()
      let base = memory.add(DMAArea.size, at: 0x1000)
      let registers = MadRegisters(seed: seed, area: UnsafeMutableRawBufferPointer(start: base, count: DMAArea.size))
      var driver = AHCIController(
        registers: registers, memory: DMAArea(unsafeBase: base, deviceAddress: 0x1000), now: 0)
      var random = SplitMix64(seed: seed &+ 1000)
      var now: UInt64 = 0
      var open: Set<UInt32> = []
      for tag in 0..<400 as Range<UInt32> {
        let kind = DiskRequest.Kind(rawValue: UInt8(random.next() % 7)) ?? .read
        let request = DiskRequest(kind, address: random.next() % 4096, sectors: UInt32(random.next() % 8), tag: tag)
        do throws(RequestError) {
          try driver.submit(request) { (list: inout ScatterList) throws(RequestError) in
            try list.append(0x10_0000, byteCount: UInt64(request.sectors) * 512)
          }
          open.insert(tag)
          taken += 1
        } catch {}
        driver.issue(now: now)
        let due = driver.nextDeadline(after: now)
        now = random.next() % 2 == 0 ? max(now, due ?? now) : now + random.next() % 4_000_000_000
        if random.next() % 2 == 0 { driver.interrupt(now: now) } else { driver.service(now: now) }
        while let completion = driver.takeCompletion() {
          #expect(open.remove(completion.tag) != nil, "seed \(seed): tag \(completion.tag) ended twice")
        }
      }
      #expect(driver.counters.hostResets < 400)
    }
    #expect(taken > 400)
  }

  @Test func `whatever goes wrong, each request ends once, and data are right`() throws {
    let rounds = fuzzRounds(15)
    var givenUp = 0
    for seed in 0..<UInt64(rounds) { try torment(seed, &givenUp) }
    #expect(givenUp <= rounds / 10)
  }

  /// Requests of all kinds, while drive, link and controller fail in all the ways they can.
  private func torment(_ seed: UInt64, _ givenUp: inout Int) throws {
    var random = SplitMix64(seed: seed &* 77)
    let depth = [32, 7, 0][Int(seed % 3)]
    let rig = try Rig.ready(ModelDrive(ModelDrive.identity(depth: depth)))
    rig.drive.badSectors = seed % 2 == 0 ? [40, 41] : []
    rig.drive.hasErrorLog = seed % 5 != 0
    rig.port.keepsActive = seed % 7 == 0
    var open: [UInt32: DiskRequest] = [:]
    var ended = 0
    for tag in 0..<300 as Range<UInt32> {
      let request = submit(tag, rig, &random)
      open[tag] = request
      if random.next() % 2 == 0 { rig.issue() }
      disturb(rig, &random)
      if random.next() % 3 == 0 { rig.run(random.next() % (20 * Rig.millisecond)) }
      ended += try check(rig.takeOutcomes(), &open)
    }
    rig.port.isPatient = false
    rig.port.losesInterrupts = false
    rig.drive.isDeaf = false
    rig.issue()
    rig.run()
    if rig.driver.status != .ready {
      let drive = rig.drive
      rig.port.unplug()
      rig.run()
      rig.port.plug(drive)
      rig.run()
      givenUp += 1
    }
    ended += try check(rig.takeOutcomes(), &open)

    #expect(open.isEmpty, "seed \(seed): \(open) never ended")
    #expect(rig.driver.status == .ready)
    #expect(rig.model.wrongs == [], "seed \(seed)")
    #expect(rig.driver.counters.failures < UInt64(ended))
    checkSectors(rig.drive, seed)
  }

  private func checkSectors(_ drive: ModelDrive, _ seed: UInt64) {
    for (sector, bytes) in drive.sectors {
      let mark = bytes.first ?? 0
      #expect(bytes.allSatisfy { $0 == mark }, "seed \(seed): sector \(sector) is torn")
      let isOwn = mark == 0 || mark == Self.mark(sector, generation: 0) || mark == Self.mark(sector, generation: 1)
      #expect(isOwn, "seed \(seed): sector \(sector) holds what was meant for another")
    }
  }

  private func submit(_ tag: UInt32, _ rig: Rig, _ random: inout SplitMix64) -> DiskRequest? {
    let kinds: [DiskRequest.Kind] = [.read, .read, .write, .write, .durableWrite, .flush, .discard]
    let kind = kinds[Int(random.next() % 7)]
    let sectors: UInt32 = kind == .flush ? 0 : 1 + UInt32(random.next() % 4)
    let request = DiskRequest(kind, address: random.next() % 64, sectors: sectors, tag: tag)
    let generation = random.next() % 2
    for index in 0..<UInt64(sectors) {
      let bytes = rig.data(UInt64(tag) * 4096 + index * 512, 512)
      bytes.initializeMemory(as: UInt8.self, repeating: Self.mark(request.address + index, generation: generation))
    }
    do throws(RequestError) {
      try rig.submit(kind, request.address, sectors, tag: tag, at: UInt64(tag) * 4096)
      return request
    } catch {
      // A drive that fails all the way to its identification, a few times in a row, is given up.
      #expect([.full, .gone, .notReady].contains(error))
      return nil
    }
  }

  /// What is written to a sector: one of two values that no other sector gets.
  private static func mark(_ sector: UInt64, generation: UInt64) -> UInt8 { UInt8(1 + sector * 2 + generation) }

  private func disturb(_ rig: Rig, _ random: inout SplitMix64) {
    switch random.next() % 40 {
    case 0: rig.port.trouble = 1 << UInt32([4, 6, 22, 24, 27, 28, 29][Int(random.next() % 7)])
    case 1: rig.drive.aborts = Int(random.next() % 4)
    case 2: rig.drive.deafSectors = [random.next() % 64]
    case 3: rig.drive.deafSectors = []
    case 4: rig.drive.failingFlushes = 1
    case 5: rig.port.losesInterrupts.toggle()
    case 6: rig.port.isReversed.toggle()
    case 7: rig.port.isPatient.toggle()
    case 8: rig.port.stopTime = random.next() % (40 * Rig.millisecond)
    case 9:
      let drive = rig.drive
      rig.port.unplug()
      rig.run(random.next() % (20 * Rig.millisecond))
      rig.port.plug(drive)
    default: rig.port.work(Int(random.next() % 8))
    }
  }

  private func check(_ outcomes: [UInt32: DiskOutcome], _ open: inout [UInt32: DiskRequest]) throws -> Int {
    for (tag, outcome) in outcomes {
      let known = open.removeValue(forKey: tag)
      let request = try #require(known, "tag \(tag) was not open")
      if case .mediumError(let sector?) = outcome {
        #expect(sector >= request.address && sector < request.address + UInt64(request.sectors))
      }
    }
    return outcomes.count
  }
}
