// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import PCI

final class PCIConfigurationSpaceTests {
  private var space = PCIConfigurationSpace(
    PCIIdentity(
      vendor: 0x1af4, device: 0x1041, classCode: 0x02_0000, revision: 1, subsystemVendor: 0x1234, subsystem: 0x5678))

  private func addCapability(_ identifier: UInt8, count: Int) -> UInt8? {
    space.addCapability(identifier, count: count)
  }

  @Test func `the identity reads in every width and cannot be written`() {
    #expect(space.read(0, width: 4) == 0x1041_1af4)
    #expect(space.read(2, width: 2) == 0x1041)
    #expect(space.read(0x0b, width: 1) == 0x02)
    #expect(space.read(0x08, width: 4) == 0x0200_0001)
    #expect(space.read(0x2c, width: 4) == 0x5678_1234)
    space.write(.max, at: 0, width: 4)
    #expect(space.read(0, width: 4) == 0x1041_1af4)
  }

  @Test func `the command register keeps only what a function can do`() {
    space.write(0xffff_ffff, at: 4, width: 4)
    #expect(space.read(4, width: 4) == 0x0407)
    #expect(space.command.contains(.busMaster | .interruptDisable))
    space.write(0, at: 4, width: 1)
    #expect(space.read(4, width: 2) == 0x0400)
  }

  @Test func `all ones written to a base address read back as its size and kind`() {
    space.setRange(.io(size: 32), at: 0)
    space.setRange(.memory(size: 4096), at: 1)
    space.setRange(.memory64(size: 8 << 30), at: 2)
    for offset in stride(from: UInt8(0x10), through: 0x24, by: 4) { space.write(.max, at: offset, width: 4) }

    #expect(space.read(0x10, width: 4) == 0xffff_ffe1)
    #expect(space.read(0x14, width: 4) == 0xffff_f000)
    #expect(space.read(0x18, width: 4) == 0x0000_0004)
    #expect(space.read(0x1c, width: 4) == 0xffff_fffe)
    #expect(space.read(0x20, width: 4) == 0)
    #expect(space.read(0x24, width: 4) == 0)
  }

  @Test func `a range has an address only while the guest lets it be decoded`() {
    space.setRange(.io(size: 64), at: 0)
    space.setRange(.memory64(size: 1 << 14), at: 4)
    space.write(0xc040, at: 0x10, width: 4)
    space.write(0xfe00_0000, at: 0x20, width: 4)
    space.write(0x0000_0001, at: 0x24, width: 4)
    #expect(space.address(ofRange: 0) == nil)
    #expect(space.address(ofRange: 4) == nil)

    space.write(0x3, at: 4, width: 2)
    #expect(space.address(ofRange: 0) == 0xc040)
    #expect(space.address(ofRange: 4) == 0x1_fe00_0000)
    #expect(space.address(ofRange: 1) == nil)
    #expect(space.address(ofRange: 6) == nil)
  }

  @Test func `a preset address counts from the moment that decoding is on, and software may move it`() {
    space.setRange(.io(size: 64), at: 0)
    space.setRange(.memory(size: 1 << 14), at: 1)
    space.setRange(.memory64(size: 1 << 14), at: 2)
    space.setAddress(0xc07f, ofRange: 0)
    space.setAddress(0xfe00_4000, ofRange: 1)
    space.setAddress(0x12_fe00_8000, ofRange: 2)
    space.setAddress(0x1000, ofRange: 5)
    #expect(space.read(0x10, width: 4) == 0xc041)
    #expect(space.read(0x14, width: 4) == 0xfe00_4000)
    #expect(space.read(0x18, width: 4) == 0xfe00_8004)
    #expect(space.read(0x1c, width: 4) == 0x12)
    #expect(space.read(0x24, width: 4) == 0)
    #expect(space.address(ofRange: 1) == nil)
    #expect(space.base(ofRange: 0) == 0xc040)
    #expect(space.base(ofRange: 1) == 0xfe00_4000)
    #expect(space.base(ofRange: 2) == 0x12_fe00_8000)
    #expect(space.base(ofRange: 5) == nil)

    space.write(0x3, at: 4, width: 2)
    space.write(0xd000, at: 0x10, width: 4)
    #expect(space.address(ofRange: 0) == 0xd000)
    #expect(space.address(ofRange: 1) == 0xfe00_4000)
  }

  @Test func `capabilities form a list, in order, dword-aligned`() throws {
    #expect(space.read(0x06, width: 2) == 0)
    let first = try #require(addCapability(0x09, count: 17))
    let second = try #require(addCapability(0x11, count: 12))
    space.set(0x1234_5678, at: first + 4, width: 4)

    #expect(space.read(0x06, width: 2) == 0x10)
    #expect(space.read(0x34, width: 1) == UInt32(first))
    #expect((first, second) == (0x40, 0x54))
    #expect(space.read(first, width: 2) == UInt32(second) << 8 | 0x09)
    #expect(space.read(second, width: 2) == 0x11)
    #expect(space.read(first + 4, width: 4) == 0x1234_5678)
  }

  @Test func `a capability that does not fit is refused`() {
    #expect(addCapability(9, count: 1) == nil)
    #expect(addCapability(9, count: 193) == nil)
    #expect(addCapability(9, count: 192) == 0x40)
    #expect(addCapability(9, count: 2) == nil)
  }

  @Test func `no write of the guest changes a bit that is not its own`() {
    var random = SplitMix64(seed: 0x9c1)
    space.setRange(.memory(size: 4096), at: 0)
    space.setInterruptPin(1)
    for _ in 0..<fuzzRounds(50_000) {
      let word = random.next()
      space.write(
        UInt32(truncatingIfNeeded: word), at: UInt8(truncatingIfNeeded: word >> 32),
        width: [1, 2, 4][Int(word >> 40) % 3])
    }
    #expect(space.read(0, width: 4) == 0x1041_1af4)
    #expect(space.read(0x10, width: 4) & 0xfff == 0)
    #expect(space.read(0x3d, width: 1) == 1)
  }
}
