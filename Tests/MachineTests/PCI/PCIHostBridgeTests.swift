// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import PCI
import Testing

@testable import Machine

final class PCIHostBridgeTests {
  private var bridge = PCIHostBridge()

  @Test func `the address port keeps what mechanism one defines`() {
    bridge.writeAddress(0xffff_ffff)
    #expect(bridge.readAddress() == 0x80ff_fffc)
  }

  @Test func `an enabled address names bus, device, function and byte`() throws {
    bridge.writeAddress(0x8001_fd44)
    let register = try #require(bridge.target(of: 0xcfe))
    #expect((register.bus, register.device, register.function, register.offset) == (1, 31, 5, 0x46))
    #expect(!register.isHostBridge)
  }

  @Test func `a disabled address names nothing`() {
    bridge.writeAddress(0x0000_0000)
    #expect(bridge.target(of: 0xcfc) == nil)
    #expect(PCIHostBridge.absent(width: 4) == 0xffff_ffff)
    #expect(PCIHostBridge.absent(width: 2) == 0xffff)
    #expect(PCIHostBridge.absent(width: 1) == 0xff)
  }

  @Test func `only a dword at 0xCF8 is the address port, the reset port stays free`() {
    #expect(PCIHostBridge.claims(0xcf8, width: 4))
    #expect(!PCIHostBridge.claims(0xcf8, width: 1))
    #expect(!PCIHostBridge.claims(0xcf9, width: 1))
    #expect(!PCIHostBridge.claims(0xcfb, width: 1))
    #expect(PCIHostBridge.claims(0xcff, width: 1))
    #expect(PCIHostBridge.claims(0xcfe, width: 2))
    #expect(!PCIHostBridge.claims(0xcfe, width: 4))
  }

  @Test func `the bridge is a host bridge without ranges`() {
    #expect(bridge.configuration.read(0x0a, width: 2) == 0x0600)
    bridge.write(.max, at: 0x10, width: 4)
    #expect(bridge.configuration.read(0x10, width: 4) == 0)
  }
}
