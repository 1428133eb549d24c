// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Machine

private let second: UInt64 = 1_000_000_000

@Suite struct PowerManagementTests {
  @Test func `the timer counts 3,579,545 times a second in 24 bits`() {
    var power = PowerManagement()
    #expect(power.read(port: 0x608, width: 4, now: second) == 3_579_545)
    #expect(power.read(port: 0x608, width: 4, now: 5 * second) == 17_897_725 & 0xff_ffff)
    #expect(power.read(port: 0x608, width: 2, now: second) == 3_579_545 & 0xffff)
  }

  @Test func `the timer's carry is an event each time bit 23 changes`() {
    var power = PowerManagement()
    #expect(power.nextDeadline == nil)
    #expect(power.write(port: 0x602, value: 0x0001, width: 2, now: 0) == .none)
    guard let deadline = power.nextDeadline else { Issue.record("no deadline"); return }

    #expect(deadline / 1_000_000 == 2343)
    power.advance(to: deadline - 1)
    #expect(!power.interruptLine)
    power.advance(to: deadline)
    #expect(power.interruptLine)
    #expect(power.nextDeadline == nil)
    _ = power.write(port: 0x600, value: 0x0001, width: 2, now: deadline)
    #expect(!power.interruptLine)
    #expect(power.nextDeadline.map { $0 / 1_000_000 } == 4686)
  }

  @Test func `the power button interrupts once it is enabled, and writing a one clears it`() {
    var power = PowerManagement()
    power.signal(.powerButton)
    #expect(!power.interruptLine)

    _ = power.write(port: 0x602, value: 0x0100, width: 2, now: 0)
    #expect(power.interruptLine)
    #expect(power.read(port: 0x600, width: 2, now: 0) == 0x0100)
    _ = power.write(port: 0x600, value: 0xfeff, width: 2, now: 0)
    #expect(power.interruptLine)
    _ = power.write(port: 0x600, value: 0x0100, width: 2, now: 0)
    #expect(!power.interruptLine)
  }

  @Test func `status and enable can be reached as one register of four bytes`() {
    var power = PowerManagement()
    power.signal(.clockAlarm)
    _ = power.write(port: 0x600, value: 0x0521_0000, width: 4, now: 0)

    #expect(power.read(port: 0x600, width: 4, now: 0) == 0x0521_0400)
  }

  @Test func `bits that do not exist stay zero`() {
    var power = PowerManagement()
    _ = power.write(port: 0x602, value: 0xffff, width: 2, now: 0)
    _ = power.write(port: 0x604, value: 0x0402, width: 2, now: 0)

    #expect(power.read(port: 0x602, width: 2, now: 0) == 0x0721)
    #expect(power.read(port: 0x604, width: 2, now: 0) == 0x0403)
  }

  @Test func `ACPI mode cannot be left`() {
    var power = PowerManagement()
    _ = power.write(port: 0x604, value: 0, width: 2, now: 0)
    #expect(power.read(port: 0x604, width: 2, now: 0) == 1)
  }

  @Test func `sleep enable with the soft-off type powers off, with another does nothing`() {
    var power = PowerManagement()
    #expect(power.write(port: 0x604, value: 0x1401, width: 2, now: 0) == .none)
    #expect(power.write(port: 0x604, value: 0x2401, width: 2, now: 0) == .none)
    #expect(power.write(port: 0x604, value: 0x3401, width: 2, now: 0) == .powerOff)
  }

  @Test func `port 0xCF9 resets when bit 2 goes from zero to one`() {
    var power = PowerManagement()
    #expect(power.write(port: 0xcf9, value: 0x02, width: 1, now: 0) == .none)
    #expect(power.read(port: 0xcf9, width: 1, now: 0) == 0x02)
    #expect(power.write(port: 0xcf9, value: 0x06, width: 1, now: 0) == .reset)
    #expect(power.write(port: 0xcf9, value: 0x06, width: 1, now: 0) == .none)
  }

  @Test func `the keyboard controller's reset command resets, its other commands do nothing`() {
    var power = PowerManagement()
    #expect(power.write(port: 0x64, value: 0xfe, width: 1, now: 0) == .reset)
    for command: UInt32 in [0x20, 0x60, 0xaa, 0xd4, 0xff, 0xef] {
      #expect(power.write(port: 0x64, value: command, width: 1, now: 0) == .none)
    }
  }

  @Test func `the keyboard controller always has output and always takes input, so nobody waits for it`() {
    var power = PowerManagement()
    let status = power.read(port: 0x64, width: 1, now: 0)
    #expect(status & 0x03 == 0x01)
    #expect(power.read(port: 0x60, width: 1, now: 0) == 0xff)
  }

  @Test func `port 0x92 says that A20 is on and resets by its bit 0`() {
    var power = PowerManagement()
    #expect(power.read(port: 0x92, width: 1, now: 0) == 0x02)
    #expect(power.write(port: 0x92, value: 0x02, width: 1, now: 0) == .none)
    #expect(power.write(port: 0x92, value: 0x01, width: 1, now: 0) == .reset)
  }

  @Test func `random use never traps`() {
    var random = SplitMix64(seed: 0xcf9)
    let ports: [UInt16] = [0x5ff, 0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x608, 0x60a, 0x60b, 0x92, 0x64, 0xffff]
    for _ in 0..<fuzzRounds(200) {
      var power = PowerManagement()
      var now: UInt64 = 0
      for _ in 0..<300 {
        now = random.later(than: now)
        let port = ports[Int(random.next() % UInt64(ports.count))]
        let width = [1, 2, 4, 0, 9, -1][Int(random.next() % 6)]
        switch random.next() % 4 {
        case 0: _ = power.read(port: port, width: width, now: now)
        case 1: _ = power.write(port: port, value: UInt32(truncatingIfNeeded: random.next()), width: width, now: now)
        case 2: power.signal(PowerEvents(rawValue: UInt16(truncatingIfNeeded: random.next())))
        default:
          power.advance(to: now)
          if let deadline = power.nextDeadline { #expect(deadline > now) }
        }
      }
    }
  }
}
