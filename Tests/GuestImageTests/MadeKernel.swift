// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

@testable import GuestImage

/// What a kernel unpacks to, made by hand: an ELF file of class 32 with two segments, and relocations behind it.
struct MadeKernel {
  struct Segment {
    var type: UInt32 = 1
    var offset: UInt32
    var virtual: UInt32
    var physical: UInt32
    var fileSize: UInt32
    var memorySize: UInt32
  }

  var elfClass: UInt8 = 1
  var machine: UInt16 = 3
  var entry: UInt32 = 0x100_0010
  /// Code, a hole of zeros, data with a tail that the file has not, and a note that lies in the code.
  var segments = [
    Segment(offset: 0x200, virtual: 0xc100_0000, physical: 0x100_0000, fileSize: 0x100, memorySize: 0x100),
    Segment(offset: 0x300, virtual: 0xc100_1000, physical: 0x100_1000, fileSize: 0x82, memorySize: 0x2000),
    Segment(type: 4, offset: 0x210, virtual: 0xc100_0010, physical: 0x100_0010, fileSize: 16, memorySize: 16),
  ]
  /// The words behind the ELF file.
  var table: [UInt32] = [0, 0xc100_0000, 0xc100_00fc, 0xc100_1000, 0xc100_107e]
  /// Bytes between the last segment's and that table, as section headers would be.
  var sections = [UInt8](repeating: 0xee, count: 42)

  var bytes: [UInt8] {
    var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, elfClass, 1, 1] + Array(repeating: 0, count: 9)
    bytes += le(UInt16(2)) + le(machine) + le(UInt32(1)) + le(entry) + le(UInt32(52)) + le(UInt32(0)) + le(UInt32(0))
    for half in [52, 32, UInt16(segments.count), 40, 0, 0] { bytes += le(half) }
    for segment in segments {
      bytes += le(segment.type) + le(segment.offset) + le(segment.virtual) + le(segment.physical)
      bytes += le(segment.fileSize) + le(segment.memorySize) + le(UInt32(5)) + le(UInt32(0x1000))
    }
    bytes += Array(repeating: 0, count: 0x200 - bytes.count)
    bytes += Array(repeating: 0xc0, count: 0x100) + Array(repeating: 0xda, count: 0x82) + sections
    return table.reduce(into: bytes) { $0 += le($1) }
  }

  /// A bzImage whose payload is `stream`, then the size of what is in it.
  func bzImage(_ stream: [UInt8], size: Int? = nil, addsSize: Bool = true) -> MadeBzImage {
    MadeBzImage(payload: stream + (addsSize ? le(UInt32(size ?? bytes.count)) : []))
  }
}

/// A bzImage, protocol 2.15, for 16 MiB, of 64 KiB at run time, relocatable, with a payload 64 bytes into its code.
struct MadeBzImage {
  var bytes: [UInt8]

  init(payload: [UInt8]) {
    let code = (64 + payload.count + 15) / 16 * 16
    bytes = Array(repeating: 0, count: 5 * 512) + Array(repeating: 0x90, count: 64) + payload
    bytes += Array(repeating: 0, count: 5 * 512 + code - bytes.count)
    put(UInt8(4), at: 0x1f1)
    put(UInt32(code / 16), at: 0x1f4)
    put(UInt16(0xaa55), at: 0x1fe)
    put(UInt16(0x6aeb), at: 0x200)
    put(UInt32(0x5372_6448), at: 0x202)
    put(UInt16(0x20f), at: 0x206)
    put(UInt8(1), at: 0x211)
    put(UInt32(0x7fff_ffff), at: 0x22c)
    put(UInt32(0x20_0000), at: 0x230)
    put(UInt8(1), at: 0x234)
    put(UInt32(2047), at: 0x238)
    put(UInt32(64), at: 0x248)
    put(UInt32(payload.count), at: 0x24c)
    put(UInt64(0x100_0000), at: 0x258)
    put(UInt32(0x1_0000), at: 0x260)
  }

  mutating func put<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    bytes.replaceSubrange(offset..<offset + MemoryLayout<T>.size, with: le(value))
  }
}

/// The little-endian bytes of a number.
func le<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
  (0..<MemoryLayout<T>.size).map { UInt8(truncatingIfNeeded: value >> (T($0) * 8)) }
}
