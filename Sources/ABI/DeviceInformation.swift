// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What the kernel tells a domain of the PCI device that it owns: a page at `AddressMap.deviceInformation`, read-only,
/// which does not change while the machine runs.
package struct DeviceInformation: BitwiseCopyable {
  package static var version: UInt32 { 2 }

  package var version: UInt32 = DeviceInformation.version
  /// Not zero: the device was found, and `AddressMap.deviceRegisters` is mapped. Else nothing below counts.
  package var isPresent: UInt32 = 0
  /// Where it was found.
  package var address = PCIAddress()
  /// Its PCI identity.
  package var vendor: UInt16 = 0
  package var device: UInt16 = 0
  /// Bytes of its registers.
  package var registersSize: UInt64 = 0
  /// Where the device finds the first byte of what is mapped at `AddressMap.deviceMemory`, and its bytes.
  package var memoryAddress: UInt64 = 0
  package var memorySize: UInt64 = 0
  /// The slot of the device's interrupt.
  package var interruptSlot: UInt32 = 0
  /// An `InterruptDelivery`.
  package var interruptDelivery: UInt32 = 0
  /// Where the device finds the memory of VMs, by their number.
  package var guests: InlineArray<16, GuestPlace> = InlineArray(repeating: GuestPlace())
  package init() {}
}

/// Where a device finds the memory of a VM.
package struct GuestPlace: BitwiseCopyable {
  /// The device's address of guest address 0, and of guest address 4 GiB; 0 where the VM has no such memory, or the
  /// domain does not have it.
  package var low: UInt64 = 0
  package var high: UInt64 = 0
  /// Bytes below 4 GiB, and their `LowMemory.base`.
  package var lowSize: UInt64 = 0
  package var lowBase: UInt64 = 0
  package init() {}
}

/// How a device's interrupt comes.
package enum InterruptDelivery: UInt32, Sendable {
  /// It does not: the domain has to look.
  case none = 0
  /// As a message (MSI).
  case message = 1
  /// By a line, which is silent from one interrupt to its acknowledgement.
  case line = 2
}

/// A kind of PCI device that a domain can own.
package enum PCIDeviceKind: UInt32, Sendable {
  /// A Serial ATA controller with AHCI's registers: class 01, subclass 06, interface 01; registers in base address 5.
  case ahci = 1
  /// Any device, for a guest.
  case passthrough = 2
}
