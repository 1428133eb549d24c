// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The memory a VMM and the console share: two `ByteRing`s and the machine's keys, at `AddressMap.channels` plus the slot's stride.
///
/// The VM's number is the slot on the console's side, `VMMConfiguration.consoleSlot` the slot on the VMM's. The
/// writer of a ring signals after it wrote. The console also signals once it has made room in an output ring that was
/// nearly full, so a VMM that found no space need not ask again and again.
package enum ConsoleChannel {
  /// What the guest prints: the VMM writes, the console reads.
  package static var outputOffset: UInt64 { 0 }
  package static var outputSize: UInt64 { UInt64(ByteRing.headerSize) + 64 * .KiB }
  /// What people type: the console writes, the VMM reads.
  package static var inputOffset: UInt64 { 512 * .KiB }
  package static var inputSize: UInt64 { UInt64(ByteRing.headerSize) + 16 * .KiB }
  /// What people press: `MachineKeys`, in the second ring's header, beyond its counters.
  package static var keysOffset: UInt64 { inputOffset + 1024 }
  /// Bytes of the shared region.
  package static var size: UInt64 { inputOffset + inputSize }

  /// The ring of what the guest prints, in the channel's memory at `base`.
  ///
  /// - Precondition: as for `ByteRing`; `base` points to `size` bytes.
  package static func output(unsafeBase base: UnsafeMutableRawPointer) -> ByteRing {
    // SAFETY: the caller's `size` bytes at `base` hold the whole of this ring, from its offset on.
    unsafe ByteRing(unsafeBase: base + Int(outputOffset), regionSize: outputSize)
  }

  /// The ring of what people type, in the channel's memory at `base`.
  ///
  /// - Precondition: as for `ByteRing`; `base` points to `size` bytes.
  package static func input(unsafeBase base: UnsafeMutableRawPointer) -> ByteRing {
    // SAFETY: the caller's `size` bytes at `base` end with this ring.
    unsafe ByteRing(unsafeBase: base + Int(inputOffset), regionSize: inputSize)
  }

  /// What people press, in the channel's memory at `base`.
  ///
  /// - Precondition: as for `MachineKeys`; `base` points to `size` bytes.
  package static func keys(unsafeBase base: UnsafeMutableRawPointer) -> MachineKeys {
    // SAFETY: the caller's `size` bytes at `base` hold the second ring's header, which is longer than this.
    unsafe MachineKeys(unsafeBase: base + Int(keysOffset))
  }
}

/// How the console divides its memory at `AddressMap.workspace`.
package enum ConsoleWorkspace {
  /// What waits for the UART.
  package static var transmitOffset: UInt64 { 0 }
  package static var transmitSize: UInt64 { 64 * .KiB }
  /// What was typed and not yet looked at.
  package static var keysOffset: UInt64 { transmitOffset + transmitSize }
  package static var keysSize: UInt64 { 4 * .KiB }
  /// What each VM printed while it was not shown.
  package static var historyOffset: UInt64 { keysOffset + keysSize }
  package static var historySize: UInt64 { 64 * .KiB }

  /// Bytes that a console of `machines` VMs needs.
  package static func size(machines: Int) -> UInt64 { historyOffset + UInt64(machines) * historySize }
  /// Bytes that are enough for every console.
  package static var size: UInt64 { size(machines: ConsoleConfiguration.capacity) }
}
