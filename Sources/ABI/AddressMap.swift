// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Where things stand in every component's address space; the same in each, so nothing has to be handed over.
package enum AddressMap {
  /// The ELF file's segments.
  package static var program: UInt64 { 0x0040_0000 }
  /// The first byte above the stack; below its `stackSize` bytes lies an unmapped page.
  package static var stackTop: UInt64 { 0x0800_0000 }
  package static var stackSize: UInt64 { 256 * .KiB }
  /// `SystemInformation`, read-only, in every domain.
  package static var information: UInt64 { 0x0f00_0000 }
  /// The component's own configuration, read-only (`VMMConfiguration`, `ConsoleConfiguration`,
  /// `SwitchConfiguration`, `DiskConfiguration`).
  package static var configuration: UInt64 { 0x1000_0000 }
  /// The vCPU's `VirtualCPUState`, in its VMM.
  package static var virtualCPU: UInt64 { 0x1100_0000 }
  /// The page that the guest sees in place of its local APIC while `VirtualCPUState.overlay` is set, in its VMM.
  package static var overlay: UInt64 { 0x1180_0000 }
  /// `LogRing`, read-only, in the console.
  package static var log: UInt64 { 0x1200_0000 }
  /// `DomainStatus` pages, read-only, one of 4 KiB for each domain by its index.
  package static var status: UInt64 { 0x1300_0000 }
  /// `SwitchCounters`: in a switch its own page, which it writes; in the console one page for each switch by its number.
  package static var switchCounters: UInt64 { 0x1400_0000 }
  /// `DiskCounters`: in a disk server its own page, which it writes; in the console one page for each disk by its
  /// number.
  package static var diskCounters: UInt64 { 0x1480_0000 }
  /// `DeviceInformation`, read-only, in a domain that owns a device.
  package static var deviceInformation: UInt64 { 0x14f0_0000 }
  /// The registers of the device that a domain owns, not cached.
  package static var deviceRegisters: UInt64 { 0x1500_0000 }
  /// Memory that a domain shares with the device that it owns (`RegionKind.deviceMemory`).
  package static var deviceMemory: UInt64 { 0x1600_0000 }
  /// What a server keeps for its next life.
  package static var serverState: UInt64 { 0x1700_0000 }
  /// `PassedDevice` pages, one of 4 KiB for each PCI device of the guest by its number, in its VMM.
  package static var passedDevices: UInt64 { 0x1800_0000 }
  /// Shared memory of channels, `channelStride` apart, by slot.
  package static var channels: UInt64 { 0x2000_0000 }
  package static var channelStride: UInt64 { 1 * .MiB }
  /// Memory of the component's own, zeroed when it starts.
  package static var workspace: UInt64 { 0x4000_0000 }
  /// The guest's kernel and initial RAM disk, read-only, in its VMM.
  package static var guestKernel: UInt64 { 0x5000_0000 }
  package static var guestInitrd: UInt64 { 0x8000_0000 }
  /// The guest's memory, in its VMM: guest address 0, then guest address 4 GiB.
  package static var guestLow: UInt64 { 0x10_0000_0000 }
  package static var guestHigh: UInt64 { 0x20_0000_0000 }

  /// The image file of a disk, read-only, in its server.
  package static var diskImage: UInt64 { 0x30_0000_0000 }

  /// The memory of VMs that a server moves data for, `guestStride` apart by the VM's number: guest address 0 at the
  /// place itself, guest address 4 GiB `guestHighOffset` further.
  package static var guests: UInt64 { 0x100_0000_0000 }
  package static var guestStride: UInt64 { 0x100_0000_0000 }
  package static var guestHighOffset: UInt64 { 4 * .GiB }

  /// The first address no component can map.
  package static var end: UInt64 { 0x4000_0000_0000 }
}
