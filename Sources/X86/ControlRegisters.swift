// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

package import Bits

/// CR0 (AMD APM volume 2, §3.1.1).
package struct CR0: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
  package static var protection: Self       { .bit(0) }                   // PE
  package static var monitor: Self          { .bit(1) }                   // MP
  package static var taskSwitched: Self     { .bit(3) }                   // TS   floating point traps
  package static var extensionType: Self    { .bit(4) }                   // ET
  package static var numericError: Self     { .bit(5) }                   // NE
  package static var writeProtect: Self     { .bit(16) }                  // WP
  package static var paging: Self           { .bit(31) }                  // PG
}

/// CR4 (AMD APM volume 2, §3.1.3).
package struct CR4: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
  package static var pae: Self              { .bit(5) }                   // PAE
  package static var machineCheck: Self     { .bit(6) }                   // MCE
  package static var fxsave: Self           { .bit(9) }                   // OSFXSR
  package static var simdExceptions: Self   { .bit(10) }                  // OSXMMEXCPT
  package static var umip: Self             { .bit(11) }                  // UMIP ring 3 does not learn where tables are
  package static var vmx: Self              { .bit(13) }                  // VMXE
  package static var numberedSpaces: Self   { .bit(17) }                  // PCIDE translations carry a number
  package static var xsave: Self            { .bit(18) }                  // OSXSAVE
  package static var smep: Self             { .bit(20) }                  // SMEP ring 0 runs no ring-3 page
  package static var smap: Self             { .bit(21) }                  // SMAP ring 0 touches no ring-3 page
}

/// EFER (AMD APM volume 2, §3.1.7).
package struct EFER: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
  package static var systemCall: Self       { .bit(0) }                   // SCE
  package static var longMode: Self         { .bit(8) }                   // LME
  package static var longModeActive: Self   { .bit(10) }                  // LMA
  package static var noExecute: Self        { .bit(11) }                  // NXE
  package static var svm: Self              { .bit(12) }                  // SVME
  package static var automaticIBRS: Self    { .bit(21) }                  // AIBRSE
}
