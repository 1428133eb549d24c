// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// Read access to the machine's memory at boot: the kernel answers from its direct map, tests from an array.
package protocol PhysicalMemory: ~Copyable {
  /// The bytes `[address, address + count)`; `nil` if one of them cannot be read.
  @_lifetime(borrow self)
  borrowing func bytes(at address: PhysicalAddress, count: UInt64) -> RawSpan?
}

extension PhysicalMemory where Self: ~Copyable {
  /// The little-endian number at `address`; `nil` if a byte of it cannot be read.
  package borrowing func load<T: FixedWidthInteger & BitwiseCopyable>(
    _ address: PhysicalAddress, as type: T.Type = T.self
  ) -> T? {
    guard let bytes = bytes(at: address, count: UInt64(MemoryLayout<T>.size)) else { return nil }
    return bytes.load(0, as: T.self)
  }
}
