// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AHCI

/// The memory of a request (AHCI 1.3.1, §4.2.3.3).
struct ScatterListTests {
  /// The pieces that the controller finds of a request with these.
  private func entries(
    _ pieces: [(UInt64, UInt64)], sectors: UInt32, prepare: (ModelController) -> Void = { _ in }
  ) throws -> [(address: UInt64, count: Int)] {
    let rig = try Rig.ready(prepare: prepare)
    rig.drive.copies = false
    try rig.driver.submit(DiskRequest(.read, address: 0, sectors: sectors, tag: 0)) {
      (list: inout ScatterList) throws(RequestError) in
      for (address, count) in pieces { try list.append(address, byteCount: count) }
    }
    rig.issue()
    rig.run()
    #expect(rig.takeOutcomes() == [0: .success])
    #expect(rig.model.wrongs == [])
    return try #require(rig.drive.history.last).entries
  }

  @Test func `pieces are passed on as they are, or joined where they touch`() throws {
    let found = try entries([(0x1000, 510), (0x3000, 2), (0x3002, 500), (0x31f6, 12)], sectors: 2)

    #expect(found.map(\.address) == [0x1000, 0x3000])
    #expect(found.map(\.count) == [510, 514])
  }

  @Test func `a piece of more than 4 MiB takes several entries`() throws {
    let found = try entries([(0x10_0000_0000, 10 << 20), (0x10_0000_0000 + 10 << 20, 6 << 20)], sectors: 32768)

    #expect(found.map(\.address) == [0, 4, 8, 12].map { 0x10_0000_0000 + $0 << 20 })
    #expect(found.map(\.count) == [Int](repeating: 4 << 20, count: 4))
  }

  @Test func `the largest request has 65536 sectors, and one has 248 pieces`() throws {
    #expect(try entries([(0, 32 << 20)], sectors: 65536).count == 8)
    let pieces = (0..<248).map { (UInt64($0) * 0x1000, UInt64(512)) }
    #expect(try entries(pieces, sectors: 248).count == 248)
    #expect(throws: RequestError.tooManySegments) { try entries(pieces + [(0xf00_0000, 512)], sectors: 249) }
  }

  @Test func `memory that the controller cannot use is refused`() throws {
    #expect(throws: RequestError.oddSegment) { try entries([(1, 512)], sectors: 1) }
    #expect(throws: RequestError.oddSegment) { try entries([(0, 511), (511, 1)], sectors: 1) }
    #expect(throws: RequestError.oddSegment) { try entries([(0, 512), (512, 0)], sectors: 1) }
    #expect(throws: RequestError.addressTooHigh) { try entries([(.max - 1, 512)], sectors: 1) }
    #expect(throws: RequestError.tooManySegments) { try entries([(0, 1 << 63)], sectors: 1) }
    #expect(throws: RequestError.lengthMismatch) { try entries([(0, 1024)], sectors: 1) }
    #expect(throws: RequestError.lengthMismatch) { try entries([], sectors: 1) }
  }

  @Test func `a controller with addresses of 32 bits gets no others`() throws {
    let memory = ModelMemory()
    let area = memory.add(DMAArea.size, at: 0x8000_0000)
    let model = ModelController(memory: memory)
    model.capabilities &= ~0x8000_0000
    var driver = AHCIController(
      registers: model, memory: DMAArea(unsafeBase: area, deviceAddress: 0x8000_0000), now: 0)
    for _ in 0..<8 { driver.service(now: 0) }
    #expect(driver.status == .ready)

    #expect(throws: RequestError.addressTooHigh) {
      try driver.submit(DiskRequest(.read, address: 0, sectors: 1, tag: 0)) {
        (list: inout ScatterList) throws(RequestError) in try list.append(0xffff_ff00, byteCount: 512)
      }
    }
    #expect(driver.requestLimits.highestAddress == 0xffff_ffff)
    #expect(model.wrongs == [])
  }
}
