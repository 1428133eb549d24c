// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The blocks that have the image of an unpacked kernel, as the frames of LZ4 have theirs (LZ4 Frame Format Description,
/// "Data Blocks"): a word that says how many bytes follow, and whether they are packed; then these bytes, each block
/// packed by itself (`LZ4Block`).
package enum ImageBlockReader {
  /// Bytes of the image in each block but the last, which has the rest.
  package static var blockSize: UInt64 { 4 * .MiB }
  /// The bit of the word that says that the block's bytes are the image's own.
  package static var isStored: UInt32 { 1 << 31 }

  /// Writes the image of `count` bytes that `blocks` have, no more and no less, to `address`.
  static func write(
    _ blocks: borrowing RawSpan, count: UInt64, at address: UInt64, to memory: GuestMemory
  ) throws(LinuxBootError) {
    var cursor = 0
    var done: UInt64 = 0
    while done < count {
      guard let word = blocks.load(cursor, as: UInt32.self),
        let block = blocks.slice(cursor + 4, count: Int(word & ~isStored))
      else { throw .badBlock }
      let size = min(blockSize, count - done)
      let place = GuestAddress(address + done)
      if word & isStored == 0 {
        try unpack(block, count: size, at: place, to: memory)
      } else {
        guard block.byteCount == Int(size) else { throw .badBlock }
        do throws(GuestMemoryError) { try memory.write(block, at: place) } catch { throw .kernelTooBig }
      }
      cursor += 4 + block.byteCount
      done += size
    }
    guard cursor == blocks.byteCount else { throw .badBlock }
  }

  /// Makes `count` bytes of a block.
  private static func unpack(
    _ block: borrowing RawSpan, count: UInt64, at place: GuestAddress, to memory: GuestMemory
  ) throws(LinuxBootError) {
    let failure: LZ4Error?
    do throws(GuestMemoryError) {
      failure = try memory.withBytes(place, count: count) { output in
        do throws(LZ4Error) {
          try LZ4Block.decode(block, into: &output)
          return nil
        } catch { return error }
      }
    } catch { throw .kernelTooBig }
    if failure != nil { throw .badBlock }
  }
}
