// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Testing

@testable import Description

@Test func `devices are as described`() throws {
  let system = try Fixture.parse("accepted", "devices")

  #expect(
    system.machines[0].devices == [
      ComputerDevice(address: PCIAddress(bus: 0x66, device: 0, function: 0), interrupt: nil),
      ComputerDevice(address: PCIAddress(segment: 1, bus: 0xaf, device: 0x1f, function: 7), interrupt: 23),
    ])
  #expect(system.machines[1].devices == [])
}
