// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// What a switch needs to know: the file mapped at `AddressMap.configuration`.
package struct SwitchConfiguration: BitwiseCopyable {
  package static var version: UInt32 { 1 }
  /// The most cards on one switch. Port n has channel slot n.
  package static var portCapacity: Int { 16 }
  /// The most switches of a system: as many pages lie at `AddressMap.switchCounters`.
  package static var capacity: Int { 16 }
  /// Bytes of a switch's memory at `AddressMap.workspace`.
  package static var workspaceSize: UInt64 { 1 * .MiB }

  package var version: UInt32 = SwitchConfiguration.version
  /// Ports, at most `portCapacity`.
  package var portCount: UInt32 = 0
  package var name = ShortName()
  /// Seconds after which a silent station is forgotten.
  package var ageing: UInt32 = 300
  private var reserved: UInt32 = 0
  package var ports: InlineArray<16, PortConfiguration> = InlineArray(repeating: PortConfiguration())
  package init() {}
}

/// One port of a switch, and the card on it.
package struct PortConfiguration: BitwiseCopyable {
  /// The VM whose card it is.
  package var machine = ShortName()
  /// The VM's number: its memory is at `AddressMap.guests` plus that many strides.
  package var machineNumber: UInt32 = 0
  /// The card's number in its VM, as in `eth0`.
  package var card: UInt32 = 0
  /// Bytes of the VM's memory from guest address 0, and from 4 GiB.
  package var lowSize: UInt64 = 0
  package var highSize: UInt64 = 0
  /// The card's address.
  package var address = MACAddress()
  /// Bits per second that the VM may send at most; 0 for no limit.
  package var rate: UInt64 = 0
  /// A `PortMode`.
  package var mode: UInt16 = 0
  /// The VLAN of frames without a tag, 1 to 4094; 0 on a trunk that takes none.
  package var vlan: UInt16 = 1
  /// Not zero: frames with another source address than the card's are dropped.
  package var refusesForeignSource: UInt32 = 0
  /// The VLANs of a trunk: bit n % 64 of word n / 64.
  package var trunk: InlineArray<64, UInt64> = InlineArray(repeating: 0)
  package init() {}
}

/// How a port deals with VLAN tags (IEEE 802.1Q).
package enum PortMode: UInt16, Sendable {
  /// Frames have no tags: all belong to `PortConfiguration.vlan`.
  case access = 0
  /// Frames have tags; those without belong to `PortConfiguration.vlan`.
  case trunk = 1
}

/// What a switch counts: a page that it writes and the console reads, at `AddressMap.switchCounters`.
package struct SwitchCounters: BitwiseCopyable {
  package var name = ShortName()
  package var portCount: UInt32 = 0
  /// Times the switch was started.
  package var starts: UInt32 = 0
  package var ports: InlineArray<16, PortCounters> = InlineArray(repeating: PortCounters())
  package init() {}
}

/// What a switch counts of one port. They are never set back while the machine runs.
///
/// For each port, `sent` is `forwarded` and all of `refused`; over all ports of a switch, the `copies` are the
/// `delivered` and all of `lost`.
package struct PortCounters: BitwiseCopyable {
  package var machine = ShortName()
  package var card: UInt32 = 0
  /// A `PortState`.
  package var state: UInt32 = 0
  /// Frames and bytes that the VM sent.
  package var sent: UInt64 = 0
  package var sentBytes: UInt64 = 0
  /// Frames of these that went to some port, and to how many in all.
  package var forwarded: UInt64 = 0
  package var copies: UInt64 = 0
  /// Frames and bytes that the VM was given.
  package var delivered: UInt64 = 0
  package var deliveredBytes: UInt64 = 0
  /// Frames of this VM that went nowhere, by `RefusalReason`.
  package var refused: InlineArray<6, UInt64> = InlineArray(repeating: 0)
  /// Frames for this VM that it did not get, by `LossReason`.
  package var lost: InlineArray<5, UInt64> = InlineArray(repeating: 0)
  /// Times the VM was interrupted, and times it kicked.
  package var interrupts: UInt64 = 0
  package var kicks: UInt64 = 0
  package init() {}
}

/// What a port is doing.
package enum PortState: UInt32, Sendable {
  /// No driver uses the card.
  case down = 0
  case up = 1
  /// The driver broke the rules: shut down until it resets the card.
  case failed = 2
}

/// Why a frame of a VM went nowhere.
package enum RefusalReason: Int, Sendable {
  /// Shorter than an Ethernet header, longer than the card allows, or its virtio header makes no sense.
  case malformed = 0
  /// Its source address is not the card's, or is a group's.
  case spoofed = 1
  /// Its VLAN is not one of the port's.
  case vlan = 2
  /// Nobody else is there to get it.
  case noReceiver = 3
  /// Its receiver is on the port that it came from.
  case local = 4
}

/// Why a frame for a VM did not get there.
package enum LossReason: Int, Sendable {
  /// The driver has given no buffers for too long.
  case full = 0
  /// No driver uses the card.
  case down = 1
  /// It does not fit what the receiver takes.
  case tooLong = 2
  /// The card's filter does not want it.
  case filtered = 3
  /// It needs what the receiver's driver has not (segmentation of its kind).
  case unsupported = 4
}
