// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import AHCI

/// A driver that finds the controller as another one left it (AHCI 1.3.1, §10.1.2, §10.4.3).
struct TakeOverTests {
  /// In which state the first driver was cut off.
  enum Moment: CaseIterable {
    case idle
    case reading
    case flushing
    case afterAnError
    case whileResetting
    case beforeItsLink
    case stuck
  }

  private func cutOff(_ moment: Moment) throws -> Rig {
    let rig = try Rig.ready()
    rig.port.isPatient = true
    switch moment {
    case .idle: break
    case .flushing: try rig.submit(.flush, tag: 1)
    case .afterAnError:
      rig.drive.badSectors = [0]
      rig.port.isPatient = false
      fallthrough
    case .reading, .stuck, .whileResetting, .beforeItsLink:
      for tag in 0..<4 as Range<UInt32> { try rig.submit(.read, UInt64(tag), 1, tag: tag) }
    }
    rig.issue()
    switch moment {
    case .whileResetting:
      rig.port.trouble = 1 << 27
      rig.port.work()
      rig.driver.interrupt(now: rig.now)
    case .beforeItsLink:
      rig.port.linkTime = 100 * Rig.millisecond
      rig.port.unplug()
      rig.port.plug(rig.model.ports[0].drive ?? ModelDrive())
    case .stuck: rig.port.isStuck = true
    case .idle, .reading, .flushing, .afterAnError: break
    }
    return rig
  }

  @Test(arguments: Moment.allCases)
  func `the next driver brings controller and drive to rest, and goes on`(moment: Moment) throws {
    let rig = try cutOff(moment)
    rig.restart()
    rig.port.isPatient = false
    rig.run()

    #expect(rig.driver.status == .ready)
    #expect(rig.takeOutcomes() == [:])
    #expect(try rig.perform(.read, 7, 1) == .success)
    #expect(Array(rig.data(0, 512)) == rig.drive.contents(7))
    #expect(rig.model.resets == 2)
    #expect(rig.model.wrongs == [])
  }

  @Test func `no command of the last driver reaches memory once the new one has begun`() throws {
    let rig = try cutOff(.reading)
    rig.restart()
    rig.data(0, 2048).initializeMemory(as: UInt8.self, repeating: 0xee)
    rig.port.work()
    rig.port.isPatient = false
    rig.run()

    #expect(rig.data(0, 2048).allSatisfy { $0 == 0xee })
  }

  @Test func `drivers cut off again and again, at any moment, leave nothing behind`() throws {
    var random = SplitMix64(seed: 3)
    let rig = try Rig.ready { $0.ports[0].readyTime = 3 * Rig.millisecond }
    for _ in 0..<fuzzRounds(60) {
      for tag in 0..<UInt32.random(in: 0..<8, using: &random) { try? rig.submit(.read, UInt64(tag), 1, tag: tag) }
      rig.port.isPatient = .random(using: &random)
      rig.port.stopTime = .random(in: 0...3 * Rig.millisecond, using: &random)
      rig.issue()
      rig.run(.random(in: 0...8 * Rig.millisecond, using: &random))
      _ = rig.takeOutcomes()
      rig.restart()
    }
    rig.port.isPatient = false
    rig.run()

    #expect(try rig.perform(.read, 7, 1) == .success)
    #expect(rig.model.wrongs == [])
  }
}
