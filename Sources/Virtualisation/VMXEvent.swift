// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// A segment's attributes in VMX's form (Intel SDM volume 3, table 25-2) and in the one that VMMs use, which is AMD's:
/// descriptor bits 40-47 in bits 0-7 of both, bits 52-55 in 12-15 here and in 8-11 there; bit 16 here says what a clear
/// present bit says there.
package struct VMXAccessRights: Equatable, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static var unusable: UInt32 { 1 << 16 }

  package init(attributes: UInt16) {
    let word = UInt32(attributes)
    rawValue = word & 0xff | (word & 0xf00) << 4 | (word & 0x80 == 0 ? Self.unusable : 0)
  }

  package var attributes: UInt16 {
    let word = UInt16(truncatingIfNeeded: rawValue & 0xff | rawValue >> 4 & 0xf00)
    return rawValue & Self.unusable == 0 ? word : word & ~0x80
  }
}

/// An event on its way into a guest, in the form that VM-entry interruption information and IDT-vectoring information
/// share (Intel SDM volume 3, tables 25-16 and 25-20).
package struct VMXEvent: Equatable, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static func interrupt(_ vector: UInt32) -> VMXEvent { VMXEvent(rawValue: vector & 0xff | valid) }

  package static func exception(_ vector: UInt32, hasErrorCode: Bool) -> VMXEvent {
    VMXEvent(rawValue: vector & 0x1f | 3 << 8 | (hasErrorCode ? 1 << 11 : 0) | valid)
  }

  package static var nonMaskable: VMXEvent { VMXEvent(rawValue: 2 | 2 << 8 | valid) }

  private static var valid: UInt32 { 1 << 31 }

  package var isValid: Bool { rawValue & Self.valid != 0 }
  /// `nil` if there is no event.
  package var vector: UInt64? { isValid ? UInt64(rawValue & 0xff) : nil }
  package var hasErrorCode: Bool { rawValue & 1 << 11 != 0 }

  private var type: UInt32 { rawValue.bits(8, count: 3) }
  /// Whether the event is INT1's.
  package var isPrivilegedSoftware: Bool { isValid && type == 5 }
  /// The vector of an exception that an instruction met, or that INT1 raised; `nil` of any other event.
  package var exception: UInt32? { isValid && (type == 3 || type == 5) ? rawValue & 0xff : nil }

  /// The event to deliver again, after an exit cut its delivery short. Software interrupts and exceptions (types 4 to 6)
  /// are executed again.
  package var repeated: VMXEvent? {
    guard isValid, rawValue.bits(8, count: 3) <= 3 else { return nil }
    // Bit 12 says something else here than there.
    return VMXEvent(rawValue: rawValue & ~(1 << 12))
  }
}
