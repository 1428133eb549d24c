// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware

/// The machine's memory as the parsers of boot read it.
struct MachineMemory: PhysicalMemory {
  /// The first address that is not mapped: 4 GiB on boot.S's page tables, then the end of memory.
  var end: UInt64 = 4 * .GiB

  @_lifetime(borrow self)
  borrowing func bytes(at address: PhysicalAddress, count: UInt64) -> RawSpan? {
    guard fits(address.value, count: count, in: end) else { return nil }
    // SAFETY: the direct map holds all addresses below `end`, and boot changes none of what it parses.
    let span = unsafe RawSpan(_unsafeStart: DirectMap.pointer(address), byteCount: Int(count))
    return unsafe _overrideLifetime(span, borrowing: self)
  }
}
