// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The word of a thread that others raise bits in; `wait` and `enterGuest` take all that are set.
package struct Notifications: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Channels of a domain, and so bits for them.
  package static var channelCount: Int { 32 }
  /// Device interrupts of a domain, and so bits for them.
  package static var interruptCount: Int { 16 }

  /// The other end of channel `slot` (0 to 31) signalled.
  package static func channel(_ slot: Int) -> Self { .bit(slot) }
  /// All channels.
  package static var channels: Self { Self(rawValue: 0xffff_ffff) }
  /// The device interrupt of `slot` (0 to 15) fired, and stays silent until it is acknowledged.
  package static func interrupt(_ slot: Int) -> Self { .bit(channelCount + slot) }
  /// All device interrupts.
  package static var interrupts: Self { Self(rawValue: 0xffff_0000_0000) }
  /// The time given to `setTimer` has come.
  package static var timer: Self { .bit(63) }
  /// The system's log has a new line; only raised for the console.
  package static var log: Self { .bit(62) }
  /// Some domain changed its state; only raised for a domain that controls others.
  package static var lifecycle: Self { .bit(61) }
}
