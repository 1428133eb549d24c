// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// The bounds that a description is held to.
package enum Limits {
  /// One digit of the console reaches each VM.
  package static let machines = 10
  package static let nameLength = ShortName.capacity
  /// The final zero needs one byte.
  package static let commandLine = VMMConfiguration.commandLineCapacity - 1
  package static let cores = BootLimits.cores
  /// Guest memory comes in the large pages of the nested page table.
  package static let memoryUnit: UInt64 = 2 * .MiB
  package static let leastMemory: UInt64 = 32 * .MiB
  package static let mostMemory: UInt64 = 512 * .GiB
  /// What the kernel, the components and the boot image need beside the guests.
  package static let reserve: UInt64 = 128 * .MiB
  package static let switches = SwitchConfiguration.capacity
  package static let ports = SwitchConfiguration.portCapacity
  /// Network cards of a VM.
  package static let cards = 4
  /// What is left of a VLAN tag's 12 bits without "no VLAN" and the reserved number (IEEE 802.1Q, table 9-2).
  package static let vlans = 1...4094
  /// From what IPv4 asks of every link (RFC 791, §3.2) to what a virtio card can name.
  package static let mtu = 68...65535
  /// Seconds; the upper bound is that of IEEE 802.1Q, table 8-4.
  package static let ageing = 1...1_000_000
  /// Bits per second.
  package static let rate: ClosedRange<UInt64> = 1_000...1_000_000_000_000
  package static let disks = DiskConfiguration.capacity
  /// Virtual disks of one disk.
  package static let clients = DiskConfiguration.clientCapacity
  /// Disks of a VM.
  package static let shares = 4
  package static let queues = 1...DiskConfiguration.queueCapacity
  /// Numbers of partitions: those of the largest GPT that is usual.
  package static let partitions = 1...128
  /// Bytes per second.
  package static let diskRate: ClosedRange<UInt64> = 64_000...100_000_000_000
  /// Characters of a disk's serial number (virtio 1.2, §5.2.6).
  package static let serial = 20
  /// Bytes of an image file.
  package static let imageSize = 1 << 30
  /// Names of domains that are no VMs.
  package static let reservedNames = ["console", "kernel"]
}
