// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware
import PCI
import Testing

@testable import BootReport

extension LogLine {
  /// The line as text.
  var text: String { String(decoding: (0..<count).map { bytes[$0] }, as: UTF8.self) }
}

private let longest: ShortName = "abcdefghijklmnopqrstuvwx"

/// The rows of the report's tables.
struct RowTests {
  private static func machine(
    _ name: ShortName, _ fate: CorePlace.Fate, core: Int = 1, described: Int = 1, memory: UInt64 = 1900 * .MiB
  ) -> String {
    let place = CorePlace(core: core, fate: fate)
    return MachineRow(name, place, described: described, memory: memory, start: PhysicalAddress(0x1_4000_0000)).line
      .text
  }

  @Test func `a VM is shown with its core, its memory and where that is`() {
    #expect(MachineRow.header.text == "  VM                        core      memory  from")
    #expect(Self.machine("vm0", .asDescribed) == "  vm0                          1    1900 MiB  0x140000000")
  }

  @Test func `a VM that is not where the description wants it says so`() {
    #expect(
      Self.machine("vm0", .moved, core: 0, described: 3)
        == "  vm0                          0    1900 MiB  0x140000000; core 3 does not run")
    #expect(
      Self.machine("vm0", .refused, core: 0, described: 3)
        == "  vm0                       none    1900 MiB  0x140000000; stays off: core 3 does not run")
  }

  @Test func `the longest names and the largest numbers stay readable`() {
    let row = Self.machine(longest, .refused, core: 0, described: 63, memory: 512 * .GiB)

    #expect(row == "  abcdefghijklmnopqrstuvwx  none  524288 MiB  0x140000000; stays off: core 63 does not run")
    #expect(row.count < LogLine.rowCapacity)
  }

  @Test func `a device is shown with its owner and what keeps it`() {
    let card = PCIIdentity(vendor: 0x8086, device: 0x10d3, classCode: 0x020000)
    let address = FunctionAddress(bus: 0x66, device: 0, function: 0)

    #expect(DeviceRow.header.text == "  device        owner                     what")
    #expect(
      DeviceRow(address, "vm0", card, .iommu).line.text
        == "  66:00.0       vm0                       8086:10d3 Ethernet card, kept to its owner's memory")
    #expect(
      DeviceRow(address, longest, card, .memoryAlone).line.text
        == "  66:00.0       abcdefghijklmnopqrstuvwx  8086:10d3 Ethernet card, kept to memory, not to its interrupts")
    #expect(
      DeviceRow(FunctionAddress(segment: 0xffff, requester: 0xffff), longest, card, .none).line.text
        == "  ffff:ff:1f.7  abcdefghijklmnopqrstuvwx  8086:10d3 Ethernet card, UNPROTECTED: it reaches all memory")
  }

  @Test func `serial ports have names`() {
    #expect(DeviceRow(ports: 0x2f8, count: 8, "console").line.text == "  0x2f8         console                   COM2")
    #expect(
      DeviceRow(ports: 0x3e8, count: 8, "console").line.text == "  0x3e8         console                   8 I/O ports")
  }
}
