// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// A guest with memory from address 0, between bytes that nobody may touch.
final class TestGuest {
  private static let guardBytes = 4096
  private let start: UnsafeMutableRawPointer
  let size: Int
  let memory: GuestMemory

  init(size: Int = 0x4_0000) {
    self.size = size
    start = .allocate(byteCount: size + 2 * Self.guardBytes, alignment: 4096)
    start.initializeMemory(as: UInt8.self, repeating: 0xee, count: size + 2 * Self.guardBytes)
    (start + Self.guardBytes).initializeMemory(as: UInt8.self, repeating: 0, count: size)
    memory = GuestMemory(unsafeLow: start + Self.guardBytes, lowSize: UInt64(size))
  }

  deinit { start.deallocate() }

  /// Whether the bytes around the memory are as they were.
  var isUnharmed: Bool {
    let before = UnsafeRawBufferPointer(start: start, count: Self.guardBytes)
    let after = UnsafeRawBufferPointer(start: start + Self.guardBytes + size, count: Self.guardBytes)
    return before.allSatisfy { $0 == 0xee } && after.allSatisfy { $0 == 0xee }
  }

  subscript<T: FixedWidthInteger & BitwiseCopyable>(_ address: Int, _ type: T.Type = T.self) -> T {
    get { (start + Self.guardBytes + address).loadUnaligned(as: T.self) }
    set { (start + Self.guardBytes + address).storeBytes(of: newValue, as: T.self) }
  }

  /// `count` bytes from `address` on.
  func bytes(_ address: Int, count: Int) -> [UInt8] { (0..<count).map { self[address + $0] } }

  func store(_ bytes: [UInt8], at address: Int) {
    for (index, byte) in bytes.enumerated() { self[address + index] = byte }
  }
}
