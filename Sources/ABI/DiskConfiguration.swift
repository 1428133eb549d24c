// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// What a disk server needs to know: the file mapped at `AddressMap.configuration`.
package struct DiskConfiguration: BitwiseCopyable {
  package static var version: UInt32 { 2 }
  /// The most virtual disks on one disk. Client n has channel slot n.
  package static var clientCapacity: Int { 16 }
  /// The most disks of a system: as many pages lie at `AddressMap.diskCounters`.
  package static var capacity: Int { 4 }
  /// The most queues of a virtual disk.
  package static var queueCapacity: Int { 4 }
  /// Bytes of a disk server's memory at `AddressMap.deviceMemory`.
  package static var deviceMemorySize: UInt64 { 1 * .MiB }
  /// Bytes of a disk server's memory at `AddressMap.serverState`, which outlives it.
  package static var stateSize: UInt64 { 256 * .KiB }
  /// Bytes of a disk server's memory at `AddressMap.workspace`.
  package static var workspaceSize: UInt64 { 512 * .KiB }
  /// The interrupt slot of the controller.
  package static var interruptSlot: Int { 0 }

  package var version: UInt32 = DiskConfiguration.version
  /// Clients, at most `clientCapacity`.
  package var clientCount: UInt32 = 0
  package var name = ShortName()
  /// Where the controller is, unless `isAnyController`.
  package var controller = PCIAddress()
  /// Not zero: the first AHCI controller is meant.
  package var isAnyController: UInt32 = 0
  /// Bytes of the image file at `AddressMap.diskImage`, which is the disk; 0 for one with a controller.
  package var imageSize: UInt64 = 0
  package var clients: InlineArray<16, DiskClientConfiguration> = InlineArray(repeating: DiskClientConfiguration())
  package init() {}
}

/// One virtual disk, and the VM that has it.
package struct DiskClientConfiguration: BitwiseCopyable {
  /// The most bytes of `text`: 36 characters of a GPT name.
  package static var textCapacity: Int { 112 }

  package var machine = ShortName()
  /// The VM's number: its memory is at `AddressMap.guests` plus that many strides.
  package var machineNumber: UInt32 = 0
  /// The disk's number in its VM: 0 is `vda`.
  package var disk: UInt32 = 0
  /// Bytes of the VM's memory from guest address 0, and from 4 GiB.
  package var lowSize: UInt64 = 0
  package var highSize: UInt64 = 0
  /// Bytes per second that the VM may read and write at most; 0 for no limit.
  package var rate: UInt64 = 0
  /// A `DiskSelection`.
  package var selection: UInt32 = 0
  /// The partition's number, as Linux counts them, for `DiskSelection.number`.
  package var partition: UInt32 = 0
  /// Not zero: the VM may only read.
  package var isReadOnly: UInt32 = 0
  /// Queues, 1 to `DiskConfiguration.queueCapacity`.
  package var queueCount: UInt32 = 1
  /// Not zero: the VM starts without this disk if it cannot be had.
  package var isOptional: UInt32 = 0
  /// Bytes of `text`.
  package var textCount: UInt32 = 0
  /// What the VM calls the disk: its serial number, of which the guest sees 20 bytes.
  package var name = ShortName()
  /// The partition's GPT name in UTF-8, or its identifier as Linux writes a PARTUUID, as `selection` says.
  package var text: InlineArray<112, UInt8> = InlineArray(repeating: 0)
  package init() {}
}

/// What of a disk a VM is given.
package enum DiskSelection: UInt32, Sendable {
  case whole = 0
  /// A partition by its number.
  case number = 1
  /// A partition by its GPT name.
  case name = 2
  /// A partition by its identifier.
  case identifier = 3
}
