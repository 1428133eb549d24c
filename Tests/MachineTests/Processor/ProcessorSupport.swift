// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Foundation

/// Guest memory of `size` bytes for as long as `body` runs.
func withProcessorMemory(_ size: Int, _ body: (GuestMemory) throws -> Void) throws {
  let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
  buffer.initializeMemory(as: UInt8.self, repeating: 0, count: size)
  defer { buffer.deallocate() }
  try body(GuestMemory(unsafeLow: buffer, lowSize: UInt64(size)))
}
