// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What the guest did to a virtio function that its owner must act on.
package struct FunctionEvents: Flags {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The driver has something new in queue `number` (0 to 15).
  package static func kick(_ number: Int) -> Self { .bit(number) }
  /// What `fill(_:)` says has changed: the server of the queues must be told.
  package static var setupChanged: Self { .bit(30) }
  /// The function's ports or registers have moved, appeared or gone.
  package static var rangesChanged: Self { .bit(31) }

  /// The kicks alone.
  package static var kicks: Self { Self(rawValue: 0xffff) }
}
