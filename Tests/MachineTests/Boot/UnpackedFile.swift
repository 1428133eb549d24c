// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

@testable import Machine

/// An unpacked kernel for tests: a right one, whose parts a test then makes wrong.
struct UnpackedFile {
  /// Where the setup header is from.
  var setup = KernelFile()
  var head = UnpackedKernelHead(entry: 16, imageSize: 4094, memorySize: 0x3000, relocationCount: 3, relocationsSize: 4)
  /// Each byte of the image is 0x11, so that a word is 0x11111111.
  var image = [UInt8](repeating: 0x11, count: 4094)
  /// Words at 0, 100 and 4090: the distance of the last has two bytes.
  var relocations: [UInt8] = [0, 100, 0x96, 0x1f]

  var bytes: [UInt8] {
    var bytes = withUnsafeBytes(of: head) { Array($0) }
    bytes += Array(repeating: 0, count: 512 - bytes.count) + setup.bytes.prefix(LinuxKernel.headerSize)
    bytes += Array(repeating: 0, count: 4096 - bytes.count) + image
    return bytes + relocations
  }

  /// Has one relocation of these bytes in place of all.
  mutating func place(_ bytes: [UInt8]) {
    relocations = bytes
    (head.relocationCount, head.relocationsSize) = (1, UInt32(bytes.count))
  }

  func inspect() throws(LinuxBootError) -> GuestKernel {
    try GuestKernel(inspecting: bytes.span.bytes)
  }
}
