// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AHCI

/// From power-on to a drive that can be used (AHCI 1.3.1, §10.1).
struct BringUpTests {
  @Test func `a drive is found, identified and ready`() throws {
    let rig = try Rig.ready()

    #expect(rig.driver.portNumber == 0)
    #expect(rig.driver.drive?.sectorCount == 1 << 21)
    #expect(rig.driver.generation == 1)
    #expect(rig.driver.requestLimits.depth == 32)
    #expect(rig.driver.nextDeadline(after: rig.now) == nil)
    #expect(rig.model.wrongs == [])
  }

  @Test func `slow parts are waited for, without an interrupt if need be`() throws {
    let rig = Rig {
      $0.resetTime = 300 * Rig.millisecond
      $0.ports[0].linkTime = 20 * Rig.millisecond
      $0.ports[0].readyTime = 8_000 * Rig.millisecond
    }
    #expect(rig.driver.status == .starting)
    rig.run()

    #expect(rig.driver.status == .ready)
    #expect(rig.now >= 8_320 * Rig.millisecond && rig.now < 8_400 * Rig.millisecond)
    #expect(rig.model.wrongs == [])
  }

  @Test func `the firmware is asked to let go, and left behind if it does not`() throws {
    for (releaseAt, expected) in [(10 * Rig.millisecond, 10), (nil, 25)] {
      let rig = Rig {
        ($0.moreCapabilities, $0.handoff, $0.releaseAt) = (1, 1, releaseAt)
      }
      rig.run()

      #expect(rig.driver.status == .ready)
      #expect(rig.now >= UInt64(expected) * Rig.millisecond && rig.now < UInt64(expected + 2) * Rig.millisecond)
      #expect(rig.model.handoff & 2 != 0)
    }
  }

  @Test func `a firmware that is busy has two seconds more`() throws {
    let rig = Rig {
      ($0.moreCapabilities, $0.handoff, $0.releaseAt) = (1, 0x11, nil)
    }
    rig.run()

    #expect(rig.driver.status == .ready)
    #expect(rig.now >= 2_000 * Rig.millisecond && rig.now < 2_100 * Rig.millisecond)
  }

  @Test func `what is not there, or does not reset, is refused with its reason`() {
    let missing = Rig { $0.isMissing = true }
    missing.run()
    #expect(missing.driver.status == .failed(.missing))

    let stuck = Rig { $0.isStuck = true }
    stuck.run()
    #expect(stuck.driver.status == .failed(.resetTimedOut))

    let noPort = Rig { $0.implemented = 0 }
    noPort.run()
    #expect(noPort.driver.status == .failed(.noSuchPort))

    let otherPort = Rig(port: .number(9))
    otherPort.run()
    #expect(otherPort.driver.status == .failed(.noSuchPort))

    let short = Rig { $0.capabilities &= ~0x8000_0000 }
    short.run()
    #expect(short.driver.status == .failed(.memoryTooHigh))
    #expect(throws: RequestError.gone) { try short.submit(.read, 0, 1) }
  }

  @Test func `the first port with a disk is used, whatever is on those before`() throws {
    let rig = Rig(nil) {
      let disc = ModelDrive()
      disc.signature = 0xeb14_0101
      $0.ports[1].drive = disc
      $0.ports[1].reset()
      $0.ports[3].linkTime = 30 * Rig.millisecond
      $0.ports[3].drive = ModelDrive()
      $0.ports[3].reset()
    }
    rig.run()

    #expect(rig.driver.status == .ready)
    #expect(rig.driver.portNumber == 3)
    #expect(rig.model.wrongs == [])
  }

  @Test func `the port that was asked for is used, or says what it has`() throws {
    let rig = Rig(port: .number(2)) {
      $0.ports[2].drive = ModelDrive(ModelDrive.identity(serial: "S2"))
      $0.ports[2].reset()
    }
    rig.run()
    #expect(rig.driver.status == .ready)
    #expect(rig.driver.portNumber == 2)

    let disc = ModelDrive()
    disc.signature = 0xeb14_0101
    let wrongRig = Rig(disc, port: .number(0))
    wrongRig.run()
    #expect(wrongRig.driver.status == .failed(.drive(.notADisk(0xeb14_0101))))

    let empty = Rig(nil, port: .number(0))
    empty.run()
    #expect(empty.driver.status == .absent)
    #expect(empty.driver.nextDeadline(after: empty.now) == nil)
  }

  @Test func `a drive that never becomes ready is given up, after resets of port and controller`() {
    let rig = Rig { $0.ports[0].readyTime = 1 << 62 }
    rig.run()

    #expect(rig.driver.status == .failed(.drive(.unresponsive)))
    #expect(rig.driver.counters.portResets == 4)
    #expect(rig.model.resets == 2)
    #expect(rig.now < 200_000 * Rig.millisecond)
    #expect(rig.model.wrongs == [])
  }

  @Test func `a drive that does not say who it is is given up`() {
    let deaf = ModelDrive()
    deaf.isDeaf = true
    let wrongSum = ModelDrive()
    wrongSum.hasWrongSum = true
    for drive in [deaf, wrongSum, ModelDrive([UInt16](repeating: 0, count: 256))] {
      let rig = Rig(drive)
      rig.run()
      #expect(rig.driver.status == .failed(.drive(.unresponsive)))
      #expect(rig.model.wrongs == [])
    }
  }

  @Test func `drives spin up when told, where the controller staggers them`() throws {
    let rig = try Rig.ready { $0.capabilities |= 1 << 27 }

    #expect(rig.port.read(0x18) & 2 != 0)
  }
}
