// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import Bits

/// An entry of the guest's page tables (AMD APM volume 2, §5.4).
struct PageEntry: Flags {
  let rawValue: UInt64
  init(rawValue: UInt64) { self.rawValue = rawValue }

  static var present: Self   { .bit(0) }     // P
  static var writable: Self  { .bit(1) }     // R/W
  static var user: Self      { .bit(2) }     // U/S
  static var accessed: Self  { .bit(5) }     // A
  static var dirty: Self     { .bit(6) }     // D      in the last level
  static var large: Self     { .bit(7) }     // PS     this entry is the last
  static var noExecute: Self { .bit(63) }    // NX     where EFER.NXE is on

  /// What no entry has narrowed yet.
  static var allRights: Self { writable | user }

  /// A page may be written or used by the user only if every level says so, and run only if none forbids it.
  mutating func narrow(by entry: Self) {
    self = self & entry & (.writable | .user) | (self | entry) & .noExecute
  }
}
