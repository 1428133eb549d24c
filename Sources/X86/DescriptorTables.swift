// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

package import Bits

/// Selectors of the kernel's GDT; the distance of the user's two is what SYSRET wants. `cx86_load_tables` names the
/// kernel's three, too.
package enum Selector {
  package static var kernelCode: UInt16         { 0x08 }
  package static var kernelData: UInt16         { 0x10 }
  /// What SYSRET counts from. It reads no descriptor (AMD APM volume 3, SYSRET), and there is none: 32-bit code would enter
  /// ring 0 by CSTAR.
  package static var userBase: UInt16           { 0x18 | 3 }
  package static var userData: UInt16           { 0x20 | 3 }
  package static var userCode: UInt16           { 0x28 | 3 }
  package static var task: UInt16               { 0x30 }
}

/// Segment descriptors (AMD APM volume 2, §4.8).
package enum Descriptor {
  package static var kernelCode: UInt64         { 0x00AF_9B00_0000_FFFF }
  package static var kernelData: UInt64         { 0x00CF_9300_0000_FFFF }
  package static var userData: UInt64           { 0x00CF_F300_0000_FFFF }
  package static var userCode: UInt64           { 0x00AF_FB00_0000_FFFF }

  /// The two words of a task-state descriptor for the 104 bytes at `base`.
  package static func taskState(_ base: UInt64) -> (UInt64, UInt64) {
    (103 | base.bits(0, count: 24) << 16 | 0x89 << 40 | base.bits(24, count: 8) << 56, base >> 32)
  }

  /// The two words of an interrupt gate to `handler` on the stack `interruptStack` (0: the current one); one that is open
  /// lets ring 3 go through by INT.
  package static func gate(_ handler: UInt64, interruptStack: UInt64, isOpen: Bool) -> (UInt64, UInt64) {
    (handler.bits(0, count: 16) | UInt64(Selector.kernelCode) << 16 | interruptStack << 32
      | (isOpen ? 0xEE : 0x8E) << 40 | handler.bits(16, count: 16) << 48, handler >> 32)
  }
}
