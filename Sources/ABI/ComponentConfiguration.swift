// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// What a VMM needs to know of its VM: the file mapped at `AddressMap.configuration`.
package struct VMMConfiguration: BitwiseCopyable {
  package static var version: UInt32 { 4 }
  /// Bytes of a command line, the final zero included.
  package static var commandLineCapacity: Int { 2048 }
  /// Where the command line is in this record.
  package static var commandLineOffset: Int { MemoryLayout<VMMConfiguration>.size - commandLineCapacity }
  package static var deviceCapacity: Int { 8 }
  /// The channel slot, and `AddressMap.channels` slot, of the console.
  package static var consoleSlot: Int { 0 }

  package var version: UInt32 = VMMConfiguration.version
  /// The VM's number, as in `@0`.
  package var index: UInt32 = 0
  package var name = ShortName()
  /// Bytes of guest memory from address 0, and from 4 GiB.
  package var lowSize: UInt64 = 0
  package var highSize: UInt64 = 0
  /// Bytes of the files at `AddressMap.guestKernel` and `AddressMap.guestInitrd`.
  package var kernelSize: UInt64 = 0
  package var initrdSize: UInt64 = 0
  /// Devices, at most `deviceCapacity`; device n has PCI slot n + 1.
  package var deviceCount: UInt32 = 0
  /// PCI devices of the machine that the guest has, at most `PassedDevice.capacity`: they have the slots after those.
  package var passedCount: UInt32 = 0
  package var devices: InlineArray<8, DeviceConfiguration> = InlineArray(repeating: DeviceConfiguration())
  /// The zero-terminated command line.
  package var commandLine: InlineArray<2048, UInt8> = InlineArray(repeating: 0)
  package init() {}
}

/// A virtio device of a VM.
package struct DeviceConfiguration: BitwiseCopyable {
  /// A `DeviceKind`.
  package var kind: UInt32 = 0
  /// The channel slot, and `AddressMap.channels` slot with its `DeviceLink`, of the server that moves its data.
  package var channelSlot: UInt32 = 0
  /// A network card's address.
  package var address = MACAddress()
  /// The largest packet of a network card, Ethernet header not counted.
  package var mtu: UInt32 = 1500
  /// Not zero: a network card without checksum and segmentation offload.
  package var hasNoOffload: UInt32 = 0
  /// Queues of a disk, 1 to `DiskConfiguration.queueCapacity`.
  package var queueCount: UInt32 = 0
  /// Not zero: the VM starts without this disk if it cannot be had.
  package var isOptional: UInt32 = 0
  /// The disk that a disk is, or is a part of.
  package var name = ShortName()
  package init() {}
}

/// What a device is.
package enum DeviceKind: UInt32, Sendable {
  case network = 1
  case block = 2
}

/// What the console needs to know: the file mapped at `AddressMap.configuration`.
package struct ConsoleConfiguration: BitwiseCopyable {
  package static var version: UInt32 { 2 }
  /// The interrupt slot of the UART.
  package static var interruptSlot: Int { 0 }
  /// The most VMs a console serves.
  package static var capacity: Int { 16 }

  package var version: UInt32 = ConsoleConfiguration.version
  /// The first of the UART's eight ports.
  package var port: UInt16 = 0x3f8
  /// VMs, at most `capacity`; VM n has channel slot n.
  package var count: UInt16 = 0
  package var baud: UInt32 = 115_200
  /// Switches, at most `SwitchConfiguration.capacity`, whose counters are at `AddressMap.switchCounters`.
  package var switchCount: UInt32 = 0
  /// The VMs by number.
  package var machines: InlineArray<16, ConsoleMachine> = InlineArray(repeating: ConsoleMachine())
  /// The name of the system, from its description; may be empty.
  package var system = ShortName()
  /// Disks, at most `DiskConfiguration.capacity`, whose counters are at `AddressMap.diskCounters`.
  package var diskCount: UInt32 = 0
  private var reserved: UInt32 = 0
  package init() {}

  /// The domain of switch `number`: the switches come after console and VMMs.
  package func domain(ofSwitch number: Int) -> UInt32 { 1 + UInt32(count) + UInt32(truncatingIfNeeded: number) }

  /// The domain of the server of disk `number`: they come after the switches.
  package func domain(ofDisk number: Int) -> UInt32 {
    1 + UInt32(count) + switchCount + UInt32(truncatingIfNeeded: number)
  }
}

/// A VM as the console sees it.
package struct ConsoleMachine: BitwiseCopyable {
  package var name = ShortName()
  /// Its domain's index, for `stopDomain`, `restartDomain` and `AddressMap.status`.
  package var domain: UInt32 = 0
  private var reserved: UInt32 = 0
  /// Bytes of guest memory.
  package var memory: UInt64 = 0
  package init() {}
}
