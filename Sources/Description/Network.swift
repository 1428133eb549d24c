// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI

/// A virtual switch: a component that moves frames between VMs.
package struct VirtualSwitch: Equatable, Sendable {
  package var name: String
  /// The core it runs on.
  package var core: Int
  /// Seconds after which a silent station is forgotten.
  package var ageing: Int
}

/// A network card of a VM, and the port of the switch that it is plugged into.
package struct NetworkCard: Equatable, Sendable {
  /// The index of its switch.
  package var network: Int
  /// Of one station; no two cards of a system have the same.
  package var address: MACAddress
  /// The largest packet, Ethernet header not counted.
  package var mtu: Int
  /// Whether it has checksum and segmentation offload.
  package var hasOffload: Bool
  package var vlans: PortVLANs
  /// Whether frames with another source address than the card's are dropped.
  package var refusesForeignSource: Bool
  /// Bits per second that the VM may send at most; `nil` for no limit.
  package var rate: UInt64?
}

/// The VLANs of a switch's port (IEEE 802.1Q).
package enum PortVLANs: Equatable, Sendable {
  /// Frames have no tags: all belong to this VLAN.
  case access(Int)
  /// Frames have the tags of these VLANs; those without belong to `native`, and are dropped if there is none.
  case trunk([ClosedRange<Int>], native: Int?)
}
