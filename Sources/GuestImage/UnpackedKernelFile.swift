// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Machine

/// The form of a kernel that a VMM loads without running its decompressor (`UnpackedKernelHead`).
struct UnpackedKernelFile {
  /// What lies in memory from the kernel's preferred address.
  let image: [UInt8]
  /// A head that knows of no blocks yet.
  private let head: UnpackedKernelHead
  /// The bzImage's first bytes.
  private let setup: ArraySlice<UInt8>
  private let relocations: [UInt8]

  /// - Parameters:
  ///   - kernel: What the packed kernel was.
  ///   - unpacked: What its compression's tool made of its stream.
  init(from kernel: PackedKernel, unpacked: [UInt8]) throws(StaysPacked) {
    guard unpacked.count == kernel.size else { throw .wrongSize }
    let elf = try KernelELF(unpacked, startingAt: kernel.setup.loadAddress, taking: kernel.setup.runtimeSize)
    image = elf.image
    let places = kernel.setup.isRelocatable ? try elf.relocations() : []
    relocations = Self.distances(places)
    setup = kernel.head
    head = UnpackedKernelHead(
      entry: try elf.entry(), imageSize: UInt32(image.count), memorySize: elf.memorySize,
      relocationCount: UInt32(places.count), relocationsSize: UInt32(relocations.count), blocksSize: 0)
  }

  /// The file; the same bytes for the same input.
  /// - Parameter blocks: The image in blocks (`ImageBlocks`).
  func bytes(blocks: [UInt8]) -> [UInt8] {
    var head = head
    head.blocksSize = UInt32(blocks.count)
    var file: [UInt8] = []
    file.reserveCapacity(Int(head.relocationsOffset) + relocations.count)
    // SAFETY: the head has no padding, so every byte of it is initialised.
    unsafe withUnsafeBytes(of: head) { unsafe file.append(contentsOf: $0) }
    file.pad(to: UnpackedKernelHead.setupOffset)
    file += setup
    file.pad(to: UnpackedKernelHead.blocksOffset)
    file += blocks
    file += relocations
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
