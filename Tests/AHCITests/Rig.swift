// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import AHCI

/// A driver on a model machine, and a clock.
final class Rig {
  static let areaAddress: UInt64 = 0x3_0000_0000
  static let dataAddress: UInt64 = 0x5_0000_0000
  static let dataSize = 4 << 20
  static let millisecond: UInt64 = 1_000_000

  let memory: ModelMemory
  let model: ModelController
  let area: UnsafeMutableRawPointer
  var driver: AHCIController<ModelController>
  var now: UInt64 = 0
  private(set) var completions: [Completion] = []

  /// - Parameter prepare: Changes the model before the driver starts.
  init(_ drive: ModelDrive? = ModelDrive(), port: PortChoice = .first, prepare: (ModelController) -> Void = { _ in }) {
    memory = ModelMemory()
    area = memory.add(DMAArea.size, at: Self.areaAddress)
    _ = memory.add(Self.dataSize, at: Self.dataAddress)
    model = ModelController(memory: memory, drive: drive)
    prepare(model)
    driver = AHCIController(
      registers: model, memory: DMAArea(unsafeBase: area, deviceAddress: Self.areaAddress), port: port, now: 0)
  }

  /// A rig whose drive is ready.
  static func ready(_ drive: ModelDrive = ModelDrive(), prepare: (ModelController) -> Void = { _ in }) throws -> Rig {
    let rig = Rig(drive, prepare: prepare)
    rig.run()
    try #require(rig.driver.status == .ready)
    return rig
  }

  var drive: ModelDrive { port.drive ?? ModelDrive() }
  var port: ModelPort { model.ports[0] }

  /// A new driver takes the place of the old one, on the controller as that left it.
  func restart() {
    driver = AHCIController(
      registers: model, memory: DMAArea(unsafeBase: area, deviceAddress: Self.areaAddress), now: now)
  }

  /// Lets the machine run until nothing is left to happen, or for `time`.
  func run(_ time: UInt64 = 3_600_000 * millisecond) {
    let end = now + time
    for _ in 0..<200_000 {
      if model.isInterrupting {
        driver.interrupt(now: now)
      } else {
        let due = [driver.nextDeadline(after: now), model.nextEvent].compactMap { $0 }.min()
        guard let due, due <= end else { break }
        now = max(now, due)
        model.now = now
        if driver.needsService(at: now) { driver.service(now: now) }
      }
      collect()
    }
    collect()
  }

  private func collect() {
    while let completion = driver.takeCompletion() { completions.append(completion) }
  }

  func submit(
    _ kind: DiskRequest.Kind, _ address: UInt64 = 0, _ sectors: UInt32 = 0, tag: UInt32 = 0, at offset: UInt64 = 0
  ) throws(RequestError) {
    let size = UInt64(sectors) * UInt64(driver.drive?.sectorSize ?? 512)
    try driver.submit(DiskRequest(kind, address: address, sectors: sectors, tag: tag)) {
      (list: inout ScatterList) throws(RequestError) in
      try list.append(Self.dataAddress + offset, byteCount: size)
    }
  }

  func issue() { driver.issue(now: now) }

  /// Submits, issues and waits.
  func perform(
    _ kind: DiskRequest.Kind, _ address: UInt64 = 0, _ sectors: UInt32 = 0, at offset: UInt64 = 0
  ) throws -> DiskOutcome? {
    completions = []
    try submit(kind, address, sectors, tag: 7, at: offset)
    issue()
    run()
    #expect(completions.count == 1)
    return completions.first?.outcome
  }

  /// What has ended since this was last asked, by tag.
  func takeOutcomes() -> [UInt32: DiskOutcome] {
    collect()
    defer { completions = [] }
    #expect(Set(completions.map(\.tag)).count == completions.count, "a request ended twice")
    return Dictionary(completions.map { ($0.tag, $0.outcome) }) { first, _ in first }
  }

  func data(_ offset: UInt64, _ count: Int) -> UnsafeMutableRawBufferPointer {
    memory.bytes(Self.dataAddress + offset, count) ?? UnsafeMutableRawBufferPointer(start: nil, count: 0)
  }
}
