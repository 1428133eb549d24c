// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Memory of the model machine: what the controller can reach, by device address.
final class ModelMemory {
  private var regions: [(start: UInt64, bytes: UnsafeMutableRawBufferPointer)] = []

  deinit { for region in regions { region.bytes.deallocate() } }

  /// Adds zeroed bytes.
  func add(_ size: Int, at start: UInt64) -> UnsafeMutableRawPointer {
    let base = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    regions.append((start, UnsafeMutableRawBufferPointer(start: base, count: size)))
    return base
  }

  /// The bytes at a device address; `nil` if not all of them are memory.
  func bytes(_ address: UInt64, _ count: Int) -> UnsafeMutableRawBufferPointer? {
    for (start, bytes) in regions where address >= start && address - start <= UInt64(bytes.count) {
      let offset = Int(address - start)
      guard bytes.count - offset >= count else { continue }
      return UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }
    return nil
  }
}
