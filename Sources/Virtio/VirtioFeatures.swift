// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Feature bits of a virtio device (virtio 1.2, §2.2): what it offers, or what it and its driver agreed on.
///
/// Bits 0 to 23 mean something else for each type of device; those of all types are here.
package struct VirtioFeatures: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// VIRTIO_F_INDIRECT_DESC: a descriptor may name a table of descriptors (§2.7.5.3).
  package static var ringIndirect: Self { .bit(28) }
  /// VIRTIO_F_EVENT_IDX: each side says up to which index it wants to sleep (§2.7.7, §2.7.10).
  package static var ringEventIndex: Self { .bit(29) }
  /// VIRTIO_F_VERSION_1: no legacy interface (§6.1).
  package static var version1: Self { .bit(32) }
}
