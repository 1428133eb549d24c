// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

/// Of all types of devices (virtio 1.2, §6).
extension VirtioFeatures {
  package static var ringIndirect: Self       { .bit(28) }  // VIRTIO_F_INDIRECT_DESC   descriptors may name tables
  package static var ringEventIndex: Self     { .bit(29) }  // VIRTIO_F_EVENT_IDX       sleep up to an index
  package static var version1: Self           { .bit(32) }  // VIRTIO_F_VERSION_1       not the legacy interface
}

/// Of block devices (§5.2.3).
extension VirtioFeatures {
  package static var segmentSize: Self        { .bit(1) }   // VIRTIO_BLK_F_SIZE_MAX
  package static var segmentCount: Self       { .bit(2) }   // VIRTIO_BLK_F_SEG_MAX
  package static var readOnly: Self           { .bit(5) }   // VIRTIO_BLK_F_RO
  package static var sectorSize: Self         { .bit(6) }   // VIRTIO_BLK_F_BLK_SIZE
  package static var flush: Self              { .bit(9) }   // VIRTIO_BLK_F_FLUSH
  package static var topology: Self           { .bit(10) }  // VIRTIO_BLK_F_TOPOLOGY
  package static var writeCacheMode: Self     { .bit(11) }  // VIRTIO_BLK_F_CONFIG_WCE     writeback can be chosen
  package static var blockQueues: Self        { .bit(12) }  // VIRTIO_BLK_F_MQ
  package static var discard: Self            { .bit(13) }  // VIRTIO_BLK_F_DISCARD
  package static var writeZeroes: Self        { .bit(14) }  // VIRTIO_BLK_F_WRITE_ZEROES

  /// All that a block device may offer.
  static var blockDevice: Self {
    segmentSize | segmentCount | readOnly | sectorSize | flush | topology | writeCacheMode | blockQueues | discard
      | writeZeroes
  }
}

/// Of network cards (§5.1.3): `receive…` for frames that the driver takes ("guest"), `send…` for those that it sends
/// ("host").
extension VirtioFeatures {
  package static var sendChecksum: Self       { .bit(0) }   // VIRTIO_NET_F_CSUM            partial checksums
  package static var receiveChecksum: Self    { .bit(1) }   // VIRTIO_NET_F_GUEST_CSUM
  package static var maximumUnit: Self        { .bit(3) }   // VIRTIO_NET_F_MTU             configuration has an MTU
  package static var address: Self            { .bit(5) }   // VIRTIO_NET_F_MAC             configuration has an address
  package static var receiveTCP4: Self        { .bit(7) }   // VIRTIO_NET_F_GUEST_TSO4      TCP to be segmented
  package static var receiveTCP6: Self        { .bit(8) }   // VIRTIO_NET_F_GUEST_TSO6
  package static var receiveECN: Self         { .bit(9) }   // VIRTIO_NET_F_GUEST_ECN
  package static var receiveUDP: Self         { .bit(10) }  // VIRTIO_NET_F_GUEST_UFO
  package static var sendTCP4: Self           { .bit(11) }  // VIRTIO_NET_F_HOST_TSO4
  package static var sendTCP6: Self           { .bit(12) }  // VIRTIO_NET_F_HOST_TSO6
  package static var sendECN: Self            { .bit(13) }  // VIRTIO_NET_F_HOST_ECN
  package static var sendUDP: Self            { .bit(14) }  // VIRTIO_NET_F_HOST_UFO
  package static var mergeableBuffers: Self   { .bit(15) }  // VIRTIO_NET_F_MRG_RXBUF       frames over several chains
  package static var linkStatus: Self         { .bit(16) }  // VIRTIO_NET_F_STATUS          configuration has the status
  package static var controlQueue: Self       { .bit(17) }  // VIRTIO_NET_F_CTRL_VQ
  package static var controlReceive: Self     { .bit(18) }  // VIRTIO_NET_F_CTRL_RX         modes and address table
  package static var controlVLAN: Self        { .bit(19) }  // VIRTIO_NET_F_CTRL_VLAN
  package static var controlReceiveExtra: Self { .bit(20) } // VIRTIO_NET_F_CTRL_RX_EXTRA   more modes
  package static var announcement: Self       { .bit(21) }  // VIRTIO_NET_F_GUEST_ANNOUNCE
  package static var multiqueue: Self         { .bit(22) }  // VIRTIO_NET_F_MQ
  package static var controlAddress: Self     { .bit(23) }  // VIRTIO_NET_F_CTRL_MAC_ADDR   the address can be changed
}
