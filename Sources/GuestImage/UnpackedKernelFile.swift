// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Machine

/// Writes the form of a kernel that a VMM loads without running its decompressor (`UnpackedKernelHead`).
enum UnpackedKernelFile {
  /// - Parameters:
  ///   - kernel: What the packed kernel was.
  ///   - unpacked: What its compression's tool made of its stream.
  /// - Returns: The file; the same bytes for the same input.
  static func make(from kernel: PackedKernel, unpacked: [UInt8]) throws(StaysPacked) -> [UInt8] {
    guard unpacked.count == kernel.size else { throw .wrongSize }
    let elf = try KernelELF(unpacked, startingAt: kernel.setup.loadAddress, taking: kernel.setup.runtimeSize)
    let image = elf.image
    let relocations = kernel.setup.isRelocatable ? try elf.relocations() : []
    let table = distances(relocations)
    let head = UnpackedKernelHead(
      entry: try elf.entry(), imageSize: UInt32(image.count), memorySize: elf.memorySize,
      relocationCount: UInt32(relocations.count), relocationsSize: UInt32(table.count))

    var file: [UInt8] = []
    file.reserveCapacity(Int(head.relocationsOffset) + table.count)
    // SAFETY: the head has no padding, so every byte of it is initialised.
    unsafe withUnsafeBytes(of: head) { unsafe file.append(contentsOf: $0) }
    file.pad(to: UnpackedKernelHead.setupOffset)
    file += kernel.head
    file.pad(to: UnpackedKernelHead.imageOffset)
    file += image
    file += table
    return file
  }

  /// How far each place is behind the last, seven bits a byte, as `RelocationReader` takes it.
  static func distances(_ places: [UInt32]) -> [UInt8] {
    var bytes: [UInt8] = []
    var last: UInt32 = 0
    for place in places.sorted() {
      var rest = place - last
      last = place
      while rest > 0x7f {
        bytes.append(UInt8(rest & 0x7f) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(rest))
    }
    return bytes
  }
}

extension [UInt8] {
  /// Adds zeros up to `size` bytes.
  fileprivate mutating func pad(to size: UInt64) {
    append(contentsOf: repeatElement(0, count: Swift.max(0, Int(size) - count)))
  }
}
