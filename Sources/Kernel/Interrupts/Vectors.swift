// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The interrupt vectors of every core.
enum Vectors {
  static var firstInterrupt: UInt64 { 32 }
  /// Device interrupt lines, by their index in `Kernel.lines`.
  static var firstLine: UInt64 { 0x40 }
  static var lineCount: Int { 128 }
  /// The core's own timer.
  static var timer: UInt64 { 0xE0 }
  /// Another core has something for this one.
  static var wake: UInt64 { 0xE1 }
  /// Another core has panicked.
  static var stop: UInt64 { 0xE2 }
  /// An IOMMU refused a request.
  static var fault: UInt64 { 0xE3 }
  /// Another core has posted interrupts to this one's guest: while that runs, its processor takes them. The kernel has
  /// nothing to do for it.
  static var posted: UInt64 { 0xE4 }
  /// An interrupt that was withdrawn: not to be ended.
  static var spurious: UInt64 { 0xFF }
}
