// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Machine

private let reading = ClockReading(multiplier: 0x8000_0001, shift: -1, tsc: 0x1122_3344_5566_7788, nanoseconds: 987_654)

/// A guest's end of interrupt, with the memory it is in.
private final class Ending {
  var eoi = ParavirtualEOI()
  private let memory: GuestMemory

  init(_ memory: GuestMemory) { self.memory = memory }

  func arm() -> Bool { eoi.arm(in: memory) }
  func takeEnd() -> Bool { eoi.takeEnd(in: memory) }
  func disarm() -> Bool { eoi.disarm(in: memory) }
}

@Suite struct ParavirtualTests {
  @Test func `the clock's record is laid out as the guest reads it`() throws {
    try withProcessorMemory(4096) { memory in
      var clock = ParavirtualClock()
      try memory.fill(GuestAddress(0), count: 4096, with: 0xee)
      try clock.setRegister(0x101, reading, in: memory)
      #expect(try memory.read(GuestAddress(0x100), as: UInt32.self) == 2)
      #expect(try memory.read(GuestAddress(0x104), as: UInt32.self) == 0)
      #expect(try memory.read(GuestAddress(0x108), as: UInt64.self) == reading.tsc)
      #expect(try memory.read(GuestAddress(0x110), as: UInt64.self) == reading.nanoseconds)
      #expect(try memory.read(GuestAddress(0x118), as: UInt32.self) == reading.multiplier)
      #expect(try memory.read(GuestAddress(0x11c), as: Int8.self) == -1)
      #expect(try memory.read(GuestAddress(0x11d), as: UInt8.self) == 1)
      #expect(try memory.read(GuestAddress(0x11e), as: UInt16.self) == 0)
      #expect(try memory.read(GuestAddress(0x120), as: UInt8.self) == 0xee)
      #expect(clock.isOn && clock.register == 0x101)
    }
  }

  @Test func `each writing makes a new, even version`() throws {
    try withProcessorMemory(4096) { memory in
      var clock = ParavirtualClock()
      try clock.refresh(reading, in: memory)
      #expect(try memory.read(GuestAddress(0x100), as: UInt32.self) == 0)
      try clock.setRegister(0x101, reading, in: memory)
      for expected: UInt32 in [4, 6, 8] {
        try clock.refresh(reading, in: memory)
        #expect(try memory.read(GuestAddress(0x100), as: UInt32.self) == expected)
      }
      try clock.setRegister(0, reading, in: memory)
      #expect(!clock.isOn)
      try clock.refresh(reading, in: memory)
      #expect(try memory.read(GuestAddress(0x100), as: UInt32.self) == 8)
    }
  }

  @Test func `the wall clock says when the guest's time began`() throws {
    try withProcessorMemory(4096) { memory in
      var clock = ParavirtualClock()
      try clock.setWallRegister(0x200, start: 1_800_000_000, in: memory)
      #expect(try memory.read(GuestAddress(0x200), as: UInt32.self) == 2)
      #expect(try memory.read(GuestAddress(0x204), as: UInt32.self) == 1_800_000_000)
      #expect(try memory.read(GuestAddress(0x208), as: UInt32.self) == 0)
      #expect(clock.wallRegister == 0x200)
    }
  }

  @Test func `places that are not the guest's, or crooked, are refused and change nothing`() throws {
    try withProcessorMemory(4096) { memory in
      var clock = ParavirtualClock()
      try clock.setRegister(0x101, reading, in: memory)
      for bad: UInt64 in [0x1001, 0xfe5, 0xffff_ffff_ffff_fffd, 0x8000_0000_0000_0001] {
        #expect(throws: ParavirtualError.outsideMemory) { try clock.setRegister(bad, reading, in: memory) }
      }
      #expect(throws: ParavirtualError.malformed) { try clock.setRegister(0x103, reading, in: memory) }
      #expect(throws: ParavirtualError.malformed) { try clock.setWallRegister(0x201, start: 0, in: memory) }
      #expect(throws: ParavirtualError.outsideMemory) { try clock.setWallRegister(0xff8, start: 0, in: memory) }
      #expect(clock.register == 0x101 && clock.wallRegister == 0)

      let end = Ending(memory)
      #expect(throws: ParavirtualError.malformed) { try end.eoi.setRegister(0x103, in: memory) }
      #expect(throws: ParavirtualError.outsideMemory) { try end.eoi.setRegister(0x1001, in: memory) }
      #expect(!end.eoi.isOn && !end.arm())
    }
  }

  // MARK: - End of interrupt

  @Test func `the guest ends an interrupt by clearing the bit`() throws {
    try withProcessorMemory(4096) { memory in
      let end = Ending(memory)
      try end.eoi.setRegister(0x301, in: memory)
      #expect(!end.takeEnd())
      let isArmed = end.arm()
      #expect(isArmed && end.eoi.isArmed)
      #expect(try memory.read(GuestAddress(0x300), as: UInt32.self) == 1)
      #expect(!end.takeEnd())
      try memory.write(UInt32(0), at: GuestAddress(0x300))
      #expect(end.takeEnd())
      #expect(!end.eoi.isArmed && !end.takeEnd())
    }
  }

  @Test func `the bit is taken back when another interrupt waits`() throws {
    try withProcessorMemory(4096) { memory in
      let end = Ending(memory)
      try end.eoi.setRegister(0x301, in: memory)
      try memory.write(UInt32(0xf0), at: GuestAddress(0x300))
      #expect(end.arm())
      #expect(!end.disarm())
      #expect(try memory.read(GuestAddress(0x300), as: UInt32.self) == 0xf0)
      #expect(end.arm())
      try memory.write(UInt32(0), at: GuestAddress(0x300))
      #expect(end.disarm())
      #expect(!end.disarm())
    }
  }

  @Test func `a guest that lets go of the word finds no bit in it, and ends its interrupts at the APIC`() throws {
    try withProcessorMemory(4096) { memory in
      for value: UInt64 in [0, 0x301, 0x341] {
        let end = Ending(memory)
        try end.eoi.setRegister(0x301, in: memory)
        #expect(end.arm())
        try end.eoi.setRegister(value, in: memory)
        #expect(try memory.read(GuestAddress(0x300), as: UInt32.self) == 0)
        #expect(!end.eoi.isArmed && !end.takeEnd())
      }
    }
  }

  @Test func `random registers never trap`() throws {
    var random = SplitMix64(seed: 6)
    try withProcessorMemory(4096) { (memory) throws in
      var clock = ParavirtualClock()
      let end = Ending(memory)
      for _ in 0..<fuzzRounds(20_000) {
        let value = random.next() >> (random.next() & 63)
        try? clock.setRegister(value, reading, in: memory)
        try? clock.setWallRegister(value, start: random.next(), in: memory)
        try? end.eoi.setRegister(random.next() >> (random.next() & 63), in: memory)
        _ = end.arm()
        _ = random.next() & 1 == 0 ? end.takeEnd() : end.disarm()
      }
    }
  }
}
