// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

@testable import Machine

/// A bzImage for tests: a right one, whose fields a test then makes wrong.
struct KernelFile {
  var bytes: [UInt8]

  /// Protocol 2.15, four setup sectors, `code` bytes of 0xC3 for 16 MiB, 64 KiB at run time, relocatable.
  init(code: Int = 4096) {
    bytes = Array(repeating: 0, count: 5 * 512) + Array(repeating: 0xc3, count: code)
    self[.setupSectors] = 4
    self[.paragraphs] = UInt32(code / 16)
    self[.bootFlag] = 0xaa55
    bytes[0x200] = 0xeb
    self[.jumpDistance] = 0x6a
    self[.magic] = 0x5372_6448
    self[.version] = 0x20f
    self[.loadFlags] = 1
    self[.initrdLastAddress] = 0x37ff_ffff
    self[.alignment] = 0x20_0000
    self[.isRelocatable] = 1
    self[.commandLineLimit] = 2047
    self[.preferredAddress] = 0x100_0000
    self[.runtimeSize] = 0x1_0000
  }

  subscript<Value: FixedWidthInteger & BitwiseCopyable>(_ field: BootField<Value>) -> Value {
    get {
      (0..<MemoryLayout<Value>.size).reduce(0) { $0 | Value(truncatingIfNeeded: bytes[field.offset + $1]) << ($1 * 8) }
    }
    set {
      for index in 0..<MemoryLayout<Value>.size {
        bytes[field.offset + index] = UInt8(truncatingIfNeeded: newValue >> (index * 8))
      }
    }
  }

  func inspect() throws(LinuxBootError) -> LinuxKernel {
    try LinuxKernel(inspecting: bytes.span.bytes, fileSize: UInt64(bytes.count))
  }
}
