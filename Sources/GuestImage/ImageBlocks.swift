// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Machine

/// The image of an unpacked kernel in blocks (`ImageBlockReader`): those of the frame that the host's `lz4` makes, which
/// have the same form, or its own bytes.
enum ImageBlocks {
  /// Blocks of 4 MiB, each for itself, and no checksums.
  static let arguments = ["-9", "-B7", "-BI", "--no-frame-crc", "-c"]
  private static let size = Int(ImageBlockReader.blockSize)

  /// Bytes of the largest frame for an image: one of blocks that are stored as they are.
  static func limit(for image: [UInt8]) -> Int { 7 + image.count + 4 * ((image.count + size - 1) / size) + 4 }

  /// The blocks with the image's own bytes.
  static func stored(_ image: [UInt8]) -> [UInt8] {
    var blocks: [UInt8] = []
    for start in stride(from: 0, to: image.count, by: size) {
      let block = image[start...].prefix(size)
      blocks.append(UInt32(block.count) | ImageBlockReader.isStored)
      blocks += block
    }
    return blocks
  }

  /// Takes the blocks out of a frame (LZ4 Frame Format Description 1.6); their contents are not looked at.
  /// - Parameter count: Bytes of the image.
  /// - Returns: `nil` if it is no such frame as `arguments` ask for, or not of so many blocks.
  static func taken(fromFrame frame: [UInt8], count: Int) -> [UInt8]? {
    // Version 1, independent blocks, nothing else; then how large a block is, which for a small image is less than was
    // asked for and shows in how many there are; then a checksum of these two bytes.
    guard frame.starts(with: [0x04, 0x22, 0x4d, 0x18, 0x60]) else { return nil }
    let start = 7
    var cursor = start
    for rest in stride(from: count, to: 0, by: -size) {
      guard let word: UInt32 = frame.number(cursor) else { return nil }
      let length = Int(word & ~ImageBlockReader.isStored)
      let isStored = word & ImageBlockReader.isStored != 0
      let whole = min(rest, size)
      guard length > 0, isStored ? length == whole : length < whole else { return nil }
      cursor += 4 + length
    }
    guard let end: UInt32 = frame.number(cursor), end == 0, cursor + 4 == frame.count else { return nil }
    return Array(frame[start..<cursor])
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ number: UInt32) {
    for shift in stride(from: 0, to: 32, by: 8) { append(UInt8(truncatingIfNeeded: number >> UInt32(shift))) }
  }
}
