// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

@testable import Machine

/// An unpacked kernel for tests: a right one, whose parts a test then makes wrong.
struct UnpackedFile {
  /// Where the setup header is from.
  var setup = KernelFile()
  var head = UnpackedKernelHead(entry: 16, imageSize: 4094, memorySize: 0x3000, relocationCount: 3)
  /// Each byte of the image is 0x11, so that a word is 0x11111111.
  var image = [UInt8](repeating: 0x11, count: 4094)
  var relocations: [UInt32] = [0, 100, 4090]

  var bytes: [UInt8] {
    var bytes = withUnsafeBytes(of: head) { Array($0) }
    bytes += Array(repeating: 0, count: 512 - bytes.count) + setup.bytes.prefix(LinuxKernel.headerSize)
    bytes += Array(repeating: 0, count: 4096 - bytes.count) + image
    bytes += Array(repeating: 0, count: -bytes.count & 3)
    return relocations.reduce(into: bytes) { bytes, offset in withUnsafeBytes(of: offset) { bytes += $0 } }
  }

  func inspect() throws(LinuxBootError) -> GuestKernel {
    try GuestKernel(inspecting: bytes.span.bytes)
  }
}
