// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AHCI

/// Drives that come and go (AHCI 1.3.1, §7).
struct HotPlugTests {
  private func loaded() throws -> Rig {
    let rig = try Rig.ready()
    rig.port.isPatient = true
    for tag in 0..<4 as Range<UInt32> { try rig.submit(tag == 3 ? .flush : .write, UInt64(tag), 1, tag: tag) }
    rig.issue()
    return rig
  }

  @Test func `what was asked of a drive that is pulled out ends`() throws {
    let rig = try loaded()
    rig.port.unplug()
    rig.run(10 * Rig.millisecond)
    #expect(rig.driver.status == .recovering)
    rig.run()

    #expect(rig.takeOutcomes() == [0: .gone, 1: .gone, 2: .gone, 3: .gone])
    #expect(rig.driver.status == .absent)
    #expect(rig.driver.drive == nil)
    #expect(throws: RequestError.gone) { try rig.submit(.read, 0, 1) }
    #expect(rig.model.wrongs == [])
  }

  @Test func `a drive that is plugged in is brought up`() throws {
    let rig = try loaded()
    rig.port.unplug()
    rig.run()
    rig.port.plug(ModelDrive(ModelDrive.identity(sectors: 1 << 22, serial: "S2")))
    rig.port.isPatient = false
    rig.run()

    #expect(rig.driver.status == .ready)
    #expect(rig.driver.drive?.sectorCount == 1 << 22)
    #expect(rig.driver.generation == 2)
    #expect(try rig.perform(.read, 0, 1) == .success)
    #expect(rig.model.wrongs == [])
  }

  @Test func `one that comes back at once goes on with its work`() throws {
    let rig = try loaded()
    let drive = rig.drive
    rig.port.unplug()
    rig.run(10 * Rig.millisecond)
    rig.port.plug(drive)
    rig.port.isPatient = false
    rig.run()

    #expect(rig.takeOutcomes() == [0: .success, 1: .success, 2: .success, 3: .success])
    #expect(rig.driver.generation == 1)
    #expect(rig.model.wrongs == [])
  }

  @Test func `another drive in its place gets nothing of what was meant for the first`() throws {
    let rig = try loaded()
    rig.port.unplug()
    rig.run(10 * Rig.millisecond)
    rig.port.plug(ModelDrive(ModelDrive.identity(serial: "S2")))
    rig.port.isPatient = false
    rig.run()

    #expect(rig.takeOutcomes() == [0: .gone, 1: .gone, 2: .gone, 3: .gone])
    #expect(rig.drive.sectors.isEmpty)
    #expect(rig.driver.generation == 2)
    #expect(rig.driver.status == .ready)
    #expect(rig.model.wrongs == [])
  }

  @Test func `an empty controller waits for a drive on any port`() throws {
    let rig = Rig(nil)
    rig.run()
    #expect(rig.driver.status == .absent)
    #expect(rig.driver.nextDeadline(after: rig.now) == nil)
    rig.model.ports[4].plug(ModelDrive())
    rig.run()

    #expect(rig.driver.status == .ready)
    #expect(rig.driver.portNumber == 4)
    #expect(rig.model.wrongs == [])
  }

  @Test func `a drive that was given up has another chance when it is plugged in again`() throws {
    let deaf = ModelDrive()
    deaf.isDeaf = true
    let rig = Rig(deaf)
    rig.run()
    rig.port.unplug()
    rig.run()
    rig.port.plug(ModelDrive())
    rig.run()

    #expect(rig.driver.status == .ready)
    #expect(rig.model.wrongs == [])
  }
}
