// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86

/// Where the kernel finds its own memory and that of components, shifted by a constant, writable and never executable; and
/// the boot image and, after boot, page tables and descriptor tables, read-only. Guests' memory, its own code and data, and
/// all that nobody has are not there.
enum DirectMap {
  /// PML4 slot 128.
  static var base: UInt64 { 0x4000_0000_0000 }
  /// Registers of devices, uncached: those below 4 GiB shifted by a constant too, others behind: PML4 slot 129.
  static var deviceBase: UInt64 { 0x4080_0000_0000 }
  /// The first address above PML4 slot 129, which is all for device registers.
  static var deviceEnd: UInt64 { 0x4100_0000_0000 }
  /// The kernel's own code and data: PML4 slot 255.
  static var kernelBase: UInt64 { 0x7f80_0000_0000 }

  /// Where `address` is mapped.
  static func pointer(_ address: PhysicalAddress) -> UnsafeMutableRawPointer {
    // SAFETY: the direct map begins above 0 and addresses are below 512 GiB: the sum is never null.
    unsafe UnsafeMutableRawPointer(bitPattern: UInt(base &+ address.value)).unsafelyUnwrapped
  }

  /// Where the device register at `address`, below 4 GiB, is mapped.
  static func device(_ address: PhysicalAddress) -> UnsafeMutableRawPointer {
    precondition(address.value < 4 * .GiB)
    // SAFETY: as above.
    return unsafe UnsafeMutableRawPointer(bitPattern: UInt(deviceBase &+ address.value)).unsafelyUnwrapped
  }

  /// The physical address of something in the kernel's image.
  static func physical(ofKernel address: UInt64) -> PhysicalAddress { PhysicalAddress(address &- kernelBase) }
}
