// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Feature bits of a virtio device (virtio 1.2, §2.2): what it offers, or what it and its driver agreed on.
///
/// Bits 0 to 23 mean something else for each type of device: they have their names in that type's `+Layout` file.
package struct VirtioFeatures: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
}
