// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The feature bits of a network card that concern frames (virtio 1.2, §5.1.3).
package struct NetworkFeatures: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The device completes checksums: VIRTIO_NET_F_CSUM.
  package static var checksum: Self { .bit(0) }
  /// The driver takes frames whose checksum is not complete: VIRTIO_NET_F_GUEST_CSUM.
  package static var guestChecksum: Self { .bit(1) }
  /// The driver takes long TCP frames, with IPv4, IPv6 and the mark of congestion: VIRTIO_NET_F_GUEST_TSO4 and so on.
  package static var guestTCP4: Self { .bit(7) }
  package static var guestTCP6: Self { .bit(8) }
  package static var guestECN: Self { .bit(9) }
  /// The device takes long TCP frames: VIRTIO_NET_F_HOST_TSO4 and so on.
  package static var hostTCP4: Self { .bit(11) }
  package static var hostTCP6: Self { .bit(12) }
  package static var hostECN: Self { .bit(13) }
  /// A frame may fill several receive buffers: VIRTIO_NET_F_MRG_RXBUF.
  package static var mergeableBuffers: Self { .bit(15) }
}
