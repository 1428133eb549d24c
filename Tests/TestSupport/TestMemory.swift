// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// A guest's memory, between bytes that nobody may touch.
package final class TestMemory {
  private static let guardBytes = 4096
  private let start: UnsafeMutableRawPointer
  package let size: Int
  package let memory: GuestMemory

  package init(size: Int) {
    self.size = size
    start = .allocate(byteCount: size + 2 * Self.guardBytes, alignment: 4096)
    start.initializeMemory(as: UInt8.self, repeating: 0xee, count: Self.guardBytes)
    (start + Self.guardBytes + size).initializeMemory(as: UInt8.self, repeating: 0xee, count: Self.guardBytes)
    memory = GuestMemory(unsafeLow: start + Self.guardBytes, lowSize: UInt64(size))
  }

  deinit { start.deallocate() }

  /// Whether the bytes around the memory are as they were.
  package var isUnharmed: Bool {
    let before = UnsafeRawBufferPointer(start: start, count: Self.guardBytes)
    let after = UnsafeRawBufferPointer(start: start + Self.guardBytes + size, count: Self.guardBytes)
    return before.allSatisfy { $0 == 0xee } && after.allSatisfy { $0 == 0xee }
  }

  package subscript<T: FixedWidthInteger & BitwiseCopyable>(_ address: Int, _ type: T.Type = T.self) -> T {
    get { (start + Self.guardBytes + address).loadUnaligned(as: T.self) }
    set { (start + Self.guardBytes + address).storeBytes(of: newValue, as: T.self) }
  }

  package func bytes(_ address: Int, count: Int) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: start + Self.guardBytes + address, count: count))
  }

  package func store(_ bytes: [UInt8], at address: Int) {
    bytes.withUnsafeBytes { source in
      if let first = source.baseAddress {
        (start + Self.guardBytes + address).copyMemory(from: first, byteCount: source.count)
      }
    }
  }

  package func fill(_ address: Int, count: Int, with byte: UInt8 = 0) {
    (start + Self.guardBytes + address).initializeMemory(as: UInt8.self, repeating: byte, count: count)
  }
}
