// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Virtio

/// Interrupts that the driver wants or not (virtio 1.2, §2.7.7).
@Suite struct InterruptSuppressionTests {
  private let driver = TestDriver(TestGuest())

  /// A queue that has reported what an earlier device might have left.
  private func device(_ features: VirtioFeatures) throws -> TestDevice {
    let device = TestDevice(try driver.queue(features))
    _ = device.needsInterrupt()
    return device
  }

  @Test func `without event indices the flag decides, and used_event means nothing`() throws {
    let device = try device(.none)
    for event in [0, 1, 7, 0xffff] as [UInt16] {
      driver.usedEvent = event
      driver.availableFlags = 0
      device.complete(1)
      #expect(device.needsInterrupt())
      driver.availableFlags = 1
      device.complete(1)
      #expect(!device.needsInterrupt())
    }
  }

  @Test func `with nothing new there is no interrupt`() throws {
    let device = try device(.none)
    #expect(!device.needsInterrupt())
    device.queue.publish()
    #expect(!device.needsInterrupt())
    device.complete(1)
    #expect(device.needsInterrupt())
    #expect(!device.needsInterrupt())
  }

  @Test func `what is not published yet needs no interrupt`() throws {
    let device = try device(.ringEventIndex)
    device.queue.complete(head: 0, written: 0)
    #expect(!device.needsInterrupt())
    device.queue.publish()
    #expect(device.needsInterrupt())
  }

  @Test func `with event indices the flag means nothing`() throws {
    let device = try device(.ringEventIndex)
    driver.availableFlags = 1
    driver.usedEvent = 0
    device.complete(1)
    #expect(device.needsInterrupt())
  }

  @Test(arguments: [0, 1, 0x7fff, 0xfffd, 0xffff] as [UInt16])
  func `the element at used_event interrupts, no other`(first: UInt16) throws {
    driver.usedIndex = first
    driver.availableIndex = first
    let device = try device(.ringEventIndex)
    driver.usedEvent = first &+ 2
    var answers: [Bool] = []
    for _ in 0..<5 {
      device.complete(1)
      answers.append(device.needsInterrupt())
    }
    #expect(answers == [false, false, true, false, false])
  }

  @Test func `an element that several were published with counts`() throws {
    let device = try device(.ringEventIndex)
    driver.usedEvent = 3
    device.complete(3)
    #expect(!device.needsInterrupt())
    device.complete(5)
    #expect(device.needsInterrupt())
    driver.usedEvent = 100
    device.complete(8)
    #expect(!device.needsInterrupt())
    driver.usedEvent = 15
    device.complete(1)
    #expect(!device.needsInterrupt())
  }

  @Test func `publishing several times before asking adds up`() throws {
    let device = try device(.ringEventIndex)
    driver.usedEvent = 0
    device.complete(1)
    device.complete(1)
    #expect(device.needsInterrupt())
    driver.usedEvent = 1
    for _ in 0..<0x1_0000 + 3 { device.complete(1) }
    #expect(device.needsInterrupt())
  }

  @Test func `a device that takes a queue over interrupts once`() throws {
    driver.usedIndex = 20
    driver.availableIndex = 20
    driver.usedEvent = 5
    let device = TestDevice(try driver.queue(.ringEventIndex))
    #expect(device.needsInterrupt())
    #expect(!device.needsInterrupt())
  }
}

/// Kicks that the device wants or not (§2.7.10).
@Suite struct KickSuppressionTests {
  private let driver = TestDriver(TestGuest())

  @Test func `without event indices the flag is 0 or 1`() throws {
    let device = TestDevice(try driver.queue())
    device.queue.disableKicks()
    #expect(driver.usedFlags == 1)
    #expect(!device.enableKicks())
    #expect(driver.usedFlags == 0)
    #expect(driver.availableEvent == 0)
  }

  @Test func `with event indices the flag stays 0, and avail_event names the next chain`() throws {
    driver.chain(0, [(0x8000, 1, false)])
    for _ in 0..<3 { driver.offer() }
    let device = TestDevice(try driver.queue(.ringEventIndex))
    for _ in 0..<3 { _ = try device.next() }
    device.queue.disableKicks()
    #expect((driver.usedFlags, driver.availableEvent) == (0, 0))
    #expect(!device.enableKicks())
    #expect((driver.usedFlags, driver.availableEvent) == (0, 3))
  }

  @Test(arguments: [VirtioFeatures.none, .ringEventIndex])
  func `what came before kicks were wanted is told`(features: VirtioFeatures) throws {
    driver.chain(0, [(0x8000, 1, false)])
    let device = TestDevice(try driver.queue(features))
    driver.offer()
    #expect(device.enableKicks())
    #expect(try device.next())
    #expect(!device.enableKicks())
    device.queue.putBack()
    #expect(device.enableKicks())
  }

  @Test func `a kick without anything new does no harm`() throws {
    let device = TestDevice(try driver.queue(.ringEventIndex))
    for _ in 0..<3 {
      #expect(try !device.next())
      #expect(!device.enableKicks())
    }
  }
}
