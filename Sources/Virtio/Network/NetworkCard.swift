// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
import Bits

/// What makes a virtio device a network card (virtio 1.2, §5.1): its features, its configuration and what it lets in.
///
/// Frames are not its business: queues 0 (receive) and 1 (transmit) belong to a switch. The control queue is served
/// here, see `serveControl`.
package struct NetworkCard: Sendable {
  /// The virtio device ID (§5.1.1).
  static var type: UInt16 { 1 }
  /// An Ethernet controller (PCI Code and ID Assignment 1.11, §1.3).
  static var classCode: UInt32 { 0x02_0000 }
  /// Receive, transmit, control (§5.1.2).
  static var queueCount: Int { 3 }
  /// The queues that a switch serves: the first two.
  static var dataQueueCount: Int { 2 }
  static var controlQueue: Int { 2 }

  /// The address that the card has until its driver chooses another.
  private let address: MACAddress
  /// The largest packet, Ethernet header not counted.
  private let mtu: UInt16
  private let offersOffload: Bool
  /// Whether the cable is plugged in.
  var isLinkUp = true
  /// The modes that the driver chose, and those that stand in for addresses that the filter has no room for.
  var modes = ReceiveModes.none
  var overflowModes = ReceiveModes.none
  /// What the card lets in but for `modes` and `overflowModes`.
  var filter = ReceiveFilter()

  /// A card as after power-on.
  ///
  /// - Parameters:
  ///   - mtu: at least 68 (§5.1.4.1); less is taken for that.
  ///   - offersOffload: whether frames with open checksums and such that are yet to be segmented can be sent and taken.
  package init(address: MACAddress, mtu: UInt16 = 1500, offersOffload: Bool = true) {
    self.address = address
    self.mtu = max(mtu, 68)
    self.offersOffload = offersOffload
    filter.own = address
  }

  /// Forgets what the driver set (§5.1.6.5.2.1).
  mutating func reset() {
    modes = .none
    overflowModes = .none
    filter = ReceiveFilter()
    filter.own = address
  }

  /// What it lets in, with a driver that agreed on `features`.
  ///
  /// A driver without receive control cannot say what it wants: it gets all.
  func filter(_ features: VirtioFeatures) -> ReceiveFilter {
    var result = filter
    result.modes = features.contains(.controlReceive) ? modes | overflowModes : .promiscuous
    return result
  }
}

// MARK: - Features

extension NetworkCard {
  /// What the card offers.
  var offeredFeatures: VirtioFeatures {
    var offered: VirtioFeatures =
      .mergeableBuffers | .maximumUnit | .address | .linkStatus | .controlQueue | .controlReceive
      | .controlReceiveExtra | .controlAddress
    if offersOffload {
      offered.insert(.sendChecksum | .sendTCP4 | .sendTCP6 | .receiveChecksum | .receiveTCP4 | .receiveTCP6)
    }
    return offered
  }

  /// Whether each of `features` has those that it requires (§5.1.3.1).
  static func isConsistent(_ features: VirtioFeatures) -> Bool {
    requires(features, .receiveTCP4 | .receiveTCP6 | .receiveUDP, oneOf: .receiveChecksum)
      && requires(features, .receiveECN, oneOf: .receiveTCP4 | .receiveTCP6)
      && requires(features, .sendTCP4 | .sendTCP6 | .sendUDP, oneOf: .sendChecksum)
      && requires(features, .sendECN, oneOf: .sendTCP4 | .sendTCP6)
      && requires(
        features, .controlReceive | .controlVLAN | .announcement | .multiqueue | .controlAddress, oneOf: .controlQueue)
  }

  private static func requires(_ all: VirtioFeatures, _ some: VirtioFeatures, oneOf others: VirtioFeatures) -> Bool {
    !all.intersects(some) || all.intersects(others)
  }
}

// MARK: - Configuration

extension NetworkCard {
  /// Bytes of the configuration: up to the MTU, in whole dwords (§5.1.4).
  static var configurationSize: Int { 12 }

  /// Byte `offset` of the configuration; zero behind it.
  func configurationByte(_ offset: Int) -> UInt8 {
    switch offset {
    case 0..<6: filter.own[offset]
    case 6: isLinkUp ? 1 : 0  // VIRTIO_NET_S_LINK_UP
    case 8: 1  // one pair of queues
    case 10: UInt8(truncatingIfNeeded: mtu)
    case 11: UInt8(truncatingIfNeeded: mtu >> 8)
    default: 0
    }
  }
}
