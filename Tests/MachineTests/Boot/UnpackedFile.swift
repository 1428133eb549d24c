// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

@testable import Machine

/// An unpacked kernel for tests: a right one, whose parts a test then makes wrong.
struct UnpackedFile {
  /// Where the setup header is from.
  var setup = KernelFile()
  var head = UnpackedKernelHead(
    entry: 16, imageSize: 4094, memorySize: 0x3000, relocationCount: 3, relocationsSize: 4, blocksSize: 4098)
  /// Each byte of the image is 0x11, so that a word is 0x11111111; it is one block, stored as it is.
  var blocks = UnpackedFile.word(4094, isStored: true) + [UInt8](repeating: 0x11, count: 4094)
  /// Words at 0, 100 and 4090: the distance of the last has two bytes.
  var relocations: [UInt8] = [0, 100, 0x96, 0x1f]

  var bytes: [UInt8] {
    var bytes = withUnsafeBytes(of: head) { Array($0) }
    bytes += Array(repeating: 0, count: 512 - bytes.count) + setup.bytes.prefix(LinuxKernel.headerSize)
    bytes += Array(repeating: 0, count: 4096 - bytes.count) + blocks
    return bytes + relocations
  }

  /// Has one relocation of these bytes in place of all.
  mutating func place(_ bytes: [UInt8]) {
    relocations = bytes
    (head.relocationCount, head.relocationsSize) = (1, UInt32(bytes.count))
  }

  /// Has these blocks, which make `count` bytes of image.
  mutating func put(_ blocks: [UInt8], making count: UInt32 = 4094) {
    self.blocks = blocks
    (head.blocksSize, head.imageSize) = (UInt32(blocks.count), count)
  }

  /// What is before a block of `count` bytes.
  static func word(_ count: UInt32, isStored: Bool = false) -> [UInt8] {
    let word = count | (isStored ? 1 << 31 : 0)
    return (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
  }

  func inspect() throws(LinuxBootError) -> GuestKernel {
    try GuestKernel(inspecting: bytes.span.bytes)
  }
}
