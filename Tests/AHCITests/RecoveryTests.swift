// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AHCI

/// What becomes of requests when something fails (AHCI 1.3.1, §6.2.2).
struct RecoveryTests {
  /// Submits reads of single sectors, tags as sectors, lets the drive have them all, and waits.
  private func read(_ rig: Rig, _ sectors: Range<UInt32>) throws -> [UInt32: DiskOutcome] {
    for tag in sectors { try rig.submit(.read, UInt64(tag), 1, tag: tag, at: UInt64(tag) * 512) }
    rig.issue()
    rig.run()
    #expect(rig.driver.status == .ready)
    #expect(rig.model.wrongs == [])
    return rig.takeOutcomes()
  }

  private func expected(_ sectors: Range<UInt32>, but different: [UInt32: DiskOutcome]) -> [UInt32: DiskOutcome] {
    Dictionary(uniqueKeysWithValues: sectors.map { ($0, different[$0] ?? .success) })
  }

  @Test func `of queued commands the log names the one that failed, and the others are repeated`() throws {
    let rig = try Rig.ready()
    rig.port.isReversed = true
    rig.drive.badSectors = [11]

    #expect(try read(rig, 0..<32) == expected(0..<32, but: [11: .mediumError(11)]))
    #expect(rig.driver.counters.driveErrors == 1)
    #expect(rig.driver.counters.portResets == 0)
    #expect(rig.drive.history.contains { $0.code == 0x2f })
    for tag in (0..<32 as Range<UInt64>) where tag != 11 {
      #expect(Array(rig.data(tag * 512, 512)) == rig.drive.contents(tag))
    }
  }

  @Test(arguments: [false, true], [false, true])
  func `without a log that helps, each is tried alone`(hasLog: Bool, isOld: Bool) throws {
    let rig = try Rig.ready()
    rig.drive.badSectors = [3, 4]
    rig.drive.hasErrorLog = hasLog
    rig.drive.errorLogSlot = 31
    rig.port.keepsActive = isOld

    let outcomes = try read(rig, 0..<8)
    #expect(outcomes.filter { $0.value == .success }.keys.sorted() == [0, 1, 2, 5, 6, 7])
    #expect(outcomes[3] == .mediumError(nil))
    #expect(rig.driver.counters.portResets == (hasLog ? 0 : 3))
  }

  @Test func `a sector that the log names need not be believed`() throws {
    let rig = try Rig.ready()
    rig.drive.badSectors = [100]
    rig.drive.hasWrongSum = false

    #expect(try rig.perform(.read, 98, 4) == .mediumError(100))
    rig.drive.hasErrorLog = false
    #expect(try rig.perform(.read, 98, 4) == .mediumError(nil))
  }

  @Test(arguments: [false, true])
  func `a command that is not queued fails by itself`(isOld: Bool) throws {
    let rig = try Rig.ready(ModelDrive(ModelDrive.identity(depth: 0)))
    rig.port.keepsActive = isOld
    rig.drive.badSectors = [2]

    #expect(try read(rig, 0..<5) == expected(0..<5, but: [2: .mediumError(2)]))
    #expect(rig.driver.counters.portResets == 0)
  }

  @Test(arguments: [32, 0])
  func `what the drive only aborted is tried again, and not for ever`(depth: Int) throws {
    let rig = try Rig.ready(ModelDrive(ModelDrive.identity(depth: depth)))
    rig.drive.aborts = 2
    #expect(try rig.perform(.read, 0, 1) == .success)
    #expect(rig.driver.counters.repeats == 2)

    rig.drive.aborts = 3
    #expect(try rig.perform(.write, 0, 1) == .refused)
    #expect(try rig.perform(.write, 0, 1) == .success)
    #expect(rig.model.wrongs == [])
  }

  @Test func `a flush that failed is not tried again, for the second would lie`() throws {
    let rig = try Rig.ready()
    rig.drive.failingFlushes = 1
    #expect(try rig.perform(.write, 0, 1) == .success)
    try rig.submit(.flush, tag: 1)
    try rig.submit(.flush, tag: 2)
    rig.issue()
    rig.run()

    #expect(rig.takeOutcomes().filter { $0.key < 3 } == [1: .mediumError(nil), 2: .mediumError(nil)])
    #expect(rig.drive.unflushed == [0])
    #expect(try rig.perform(.flush) == .success)
  }

  @Test(arguments: [32, 0])
  func `a command that is never answered costs resets, and in the end itself only`(depth: Int) throws {
    let rig = try Rig.ready(ModelDrive(ModelDrive.identity(depth: depth)))
    rig.drive.deafSectors = [6]

    #expect(try read(rig, 0..<16) == expected(0..<16, but: [6: .timedOut]))
    #expect(rig.driver.counters.timeouts == 3)
    #expect(rig.driver.counters.portResets == 3)
    #expect(rig.now < 60_000 * Rig.millisecond)
  }

  @Test func `a flush may take long`() throws {
    let rig = try Rig.ready()
    rig.port.isPatient = true
    try rig.submit(.flush, tag: 1)
    rig.issue()
    rig.run(59_000 * Rig.millisecond)
    rig.port.work()
    rig.run(Rig.millisecond)

    #expect(rig.takeOutcomes() == [1: .success])
    #expect(rig.driver.counters.portResets == 0)
  }

  @Test(arguments: [4, 6, 24, 27, 28, 29])
  func `trouble of link and bus is overcome by a reset`(cause: Int) throws {
    let rig = try Rig.ready()
    rig.port.trouble = 1 << UInt32(cause)

    #expect(try read(rig, 0..<8) == expected(0..<8, but: [:]))
    #expect(rig.driver.counters.linkErrors == (cause == 6 ? 0 : 1))
    #expect(rig.driver.counters.portResets == 1)
    #expect(rig.driver.generation == 1)
  }

  @Test func `trouble that the link itself overcame is only counted`() throws {
    let rig = try Rig.ready()
    rig.port.trouble = 1 << 26
    try rig.submit(.read, 0, 1, tag: 1)
    rig.issue()
    rig.run(Rig.millisecond)

    #expect(rig.driver.counters.linkErrors == 1)
    #expect(rig.driver.status == .ready)
  }

  @Test func `trouble without end ends the requests, each after a few tries`() throws {
    let rig = try Rig.ready()
    for tag in 0..<8 as Range<UInt32> { try rig.submit(.read, UInt64(tag), 1, tag: tag) }
    rig.port.trouble = 1 << 27
    rig.port.troubleLasts = true
    rig.issue()
    rig.run()

    #expect(rig.takeOutcomes() == Dictionary(uniqueKeysWithValues: (0..<8).map { ($0, .refused) }))
    #expect(rig.driver.status == .ready)
    #expect(rig.model.wrongs == [])
  }

  @Test func `an engine that does not stop needs the controller's reset`() throws {
    let rig = try Rig.ready()
    rig.port.isStuck = true
    rig.drive.deafSectors = [1]
    try rig.submit(.read, 1, 1, tag: 1)
    rig.issue()
    rig.run(16_000 * Rig.millisecond)
    rig.port.isStuck = false
    rig.drive.deafSectors = []
    rig.run()

    #expect(rig.takeOutcomes() == [1: .success])
    #expect(rig.driver.counters.hostResets == 2)
    #expect(rig.driver.status == .ready)
  }

  @Test func `a drive that stops answering altogether is given up, and what was asked of it ends`() throws {
    let rig = try Rig.ready()
    rig.drive.isDeaf = true
    for tag in 0..<3 as Range<UInt32> { try rig.submit(.read, UInt64(tag), 1, tag: tag) }
    rig.issue()
    rig.run()

    #expect(rig.takeOutcomes() == [0: .gone, 1: .gone, 2: .gone])
    #expect(rig.driver.status == .failed(.drive(.unresponsive)))
    #expect(throws: RequestError.gone) { try rig.submit(.read, 0, 1) }
    #expect(rig.model.wrongs == [])
  }

  @Test func `a controller that disappears ends everything`() throws {
    let rig = try Rig.ready()
    rig.port.isPatient = true
    try rig.submit(.read, 0, 1, tag: 1)
    rig.issue()
    rig.model.isMissing = true
    rig.run()

    #expect(rig.takeOutcomes() == [1: .gone])
    #expect(rig.driver.status == .failed(.missing))
  }
}
