// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import PCI

@Test(arguments: [
  (0x010601, "SATA controller"), (0x010802, "NVMe controller"), (0x020000, "Ethernet card"), (0x028000, "network card"),
  (0x0C0330, "USB controller"), (0x030000, "display controller"), (0x0C8000, "device"), (0xFFFFFF, "device"),
  (0xFFFF_FFFF, "device"),
])
func `a function is called by its class`(code: UInt32, name: String) {
  #expect("\(PCIIdentity(vendor: 1, device: 1, classCode: code).className)" == name)
}
