// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// Which VLANs a port is in, and how its frames show theirs (IEEE 802.1Q, §6.9).
struct VLANRules: ~Copyable {
  /// The EtherType of a tag.
  static var tagType: UInt16 { 0x8100 }

  private let inPlace = InPlace()
  private let mode: PortMode
  /// The VLAN of frames without a tag; 0 if there are none.
  private let native: UInt16
  /// The VLANs of frames with a tag: bit n % 64 of word n / 64.
  private let tagged: InlineArray<64, UInt64>

  init(_ configuration: borrowing PortConfiguration) {
    mode = PortMode(rawValue: configuration.mode) ?? .access
    native = Self.isVLAN(configuration.vlan) ? configuration.vlan : 0
    tagged = configuration.trunk
  }

  /// The VLAN of a frame that came in; `nil` if the port does not take it.
  /// - Parameter tag: The tag's 16 bits: priority in 15-12, VLAN in 11-0, which is 0 if only the priority is meant.
  func vlan(ofTag tag: UInt16?) -> UInt16? {
    guard let tag, tag & 0xfff != 0 else { return native == 0 ? nil : native }
    let vlan = tag & 0xfff
    return mode == .trunk && has(vlan) ? vlan : nil
  }

  /// Whether frames of `vlan` leave through the port.
  func has(_ vlan: UInt16) -> Bool {
    guard Self.isVLAN(vlan) else { return false }
    return vlan == native || (mode == .trunk && tagged[Int(vlan / 64)] >> UInt64(vlan % 64) & 1 != 0)
  }

  /// The tag with which a frame of `vlan` leaves through the port, if any.
  ///
  /// A trunk's native VLAN goes without, unless the frame has another tag inside: bare, that one would count.
  /// - Parameter tag: The tag it came with, whose priority it keeps.
  /// - Parameter innerType: The EtherType behind that tag.
  func tag(for vlan: UInt16, cameWith tag: UInt16?, innerType: UInt16) -> UInt16? {
    guard mode == .trunk, vlan != native || innerType == Self.tagType else { return nil }
    return (tag ?? 0) & 0xf000 | vlan
  }

  /// VLAN 0 means none, and 4095 is reserved (IEEE 802.1Q, table 9-2).
  private static func isVLAN(_ vlan: UInt16) -> Bool { vlan > 0 && vlan < 4095 }
}
