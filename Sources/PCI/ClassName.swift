// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

extension PCIIdentity {
  /// What people call a function of this class (PCI Code and ID Assignment 1.11, §1).
  package var className: StaticString {
    switch classCode >> 8 {
    case 0x0101: "IDE controller"
    case 0x0104: "RAID controller"
    case 0x0106: "SATA controller"
    case 0x0107: "SAS controller"
    case 0x0108: "NVMe controller"
    case 0x0200: "Ethernet card"
    case 0x0403: "audio device"
    case 0x0700: "serial port"
    case 0x0C03: "USB controller"
    case 0x0C05: "SMBus controller"
    default: baseClassName
    }
  }

  private var baseClassName: StaticString {
    switch classCode >> 16 {
    case 0x01: "storage controller"
    case 0x02: "network card"
    case 0x03: "display controller"
    case 0x04: "multimedia device"
    case 0x05: "memory controller"
    case 0x06: "bridge"
    case 0x07: "communication controller"
    case 0x08: "system device"
    case 0x09: "input device"
    case 0x0B: "processor"
    case 0x0D: "wireless controller"
    case 0x10: "encryption controller"
    case 0x12: "accelerator"
    default: "device"
    }
  }
}
