// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Why bytes are not the LZ4 block that they should be.
package enum LZ4Error: Error, Equatable {
  /// The block ends within a sequence, or without the literals that every block ends with.
  case truncated
  /// A match begins nowhere before its own place, or before all that was made.
  case badDistance
  /// The block makes more than it should.
  case tooMuch
  /// The block makes less than it should.
  case tooLittle
}

/// Unpacks a block of LZ4 (LZ4 Block Format Description): sequences of a token, literals that are taken as they are, and
/// a match, which repeats what was made before. The last sequence has literals only.
///
/// The token has both lengths, four bits each; 15 says that bytes follow which are added, up to one that is not 255.
package enum LZ4Block {
  /// How far a block was read, and how much was made of it.
  private struct Position {
    var input = 0
    var output = 0
  }

  /// The shortest match.
  private static var matchMinimum: Int { 4 }
  private static var word: Int { MemoryLayout<UInt64>.size }

  /// Makes `output` of a block, which must fill it; if it is refused, what `output` holds is undefined.
  package static func decode(_ block: borrowing RawSpan, into output: inout MutableRawSpan) throws(LZ4Error) {
    var position = Position()
    while true {
      position = decodeShort(block, from: position, into: &output)
      guard let next = try decodeAny(block, from: position, into: &output) else { return }
      position = next
    }
  }

  /// Unpacks sequences as long as they have both lengths in the token, a match at a distance of at least a word, and so
  /// far to both ends that whole words can be copied, more than the lengths say: 12 of 13 sequences of a kernel.
  private static func decodeShort(
    _ block: borrowing RawSpan, from position: Position, into output: inout MutableRawSpan
  ) -> Position {
    // A token, 14 literals copied as two words, a distance; 14 literals, 18 bytes of a match copied as three words.
    let lastInput = block.byteCount - (1 + 2 * word)
    let lastOutput = output.byteCount - (14 + 3 * word)
    var position = position
    while position.input <= lastInput, position.output <= lastOutput {
      // SAFETY: 17 bytes of the block follow `position.input`, checked above: the token and 16 more. `start` is at most
      // 14 bytes further, so that its two lie among them.
      let token = unsafe block.unsafeLoadUnaligned(fromUncheckedByteOffset: position.input, as: UInt8.self)
      let literals = Int(token >> 4)
      let match = Int(token & 15)
      guard literals < 15, match < 15 else { break }
      // SAFETY: as above, and 38 bytes of the output follow `position.output`: two words are 16 of them.
      unsafe copyWord(block, at: position.input &+ 1, to: position.output, of: &output)
      if literals > word {
        // SAFETY: as above.
        unsafe copyWord(block, at: position.input &+ 1 &+ word, to: position.output &+ word, of: &output)
      }
      let start = position.input &+ 1 &+ literals
      // SAFETY: as above.
      let bytes = unsafe block.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: UInt16.self)
      let distance = Int(UInt16(littleEndian: bytes))
      let target = position.output &+ literals
      guard distance >= word, distance <= target else { break }

      // SAFETY: 24 bytes of the output follow `target`, checked above, and `distance` bytes are before it.
      unsafe repeatWord(of: &output, from: distance, to: target)
      if match > word - matchMinimum {
        // SAFETY: as above; three words are the 24 bytes.
        unsafe repeatWord(of: &output, from: distance, to: target &+ word)
        if match > 2 * word - matchMinimum { unsafe repeatWord(of: &output, from: distance, to: target &+ 2 * word) }
      }
      position = Position(input: start &+ 2, output: target &+ match &+ matchMinimum)
    }
    return position
  }

  /// Unpacks the next sequence, whatever it is.
  /// - Returns: Where the one behind it is; `nil` if this was the last.
  private static func decodeAny(
    _ block: borrowing RawSpan, from position: Position, into output: inout MutableRawSpan
  ) throws(LZ4Error) -> Position? {
    var position = position
    guard let token = block.load(position.input, as: UInt8.self) else { throw .truncated }
    position.input += 1
    let literals = try length(Int(token >> 4), in: block, at: &position.input)
    guard literals <= block.byteCount - position.input else { throw .truncated }
    guard literals <= output.byteCount - position.output else { throw .tooMuch }
    copy(literals, from: block, at: position.input, to: position.output, of: &output)
    position.input += literals
    position.output += literals
    if position.input == block.byteCount {
      guard position.output == output.byteCount else { throw .tooLittle }
      return nil
    }

    guard let distance = block.load(position.input, as: UInt16.self) else { throw .truncated }
    position.input += 2
    let match = try length(Int(token & 15), in: block, at: &position.input) + matchMinimum
    guard distance > 0, distance <= position.output else { throw .badDistance }
    guard match <= output.byteCount - position.output else { throw .tooMuch }
    repeatBytes(match, of: &output, from: Int(distance), to: position.output)
    position.output += match
    return position
  }

  /// A length of which `bits` are the token's four.
  private static func length(
    _ bits: Int, in block: borrowing RawSpan, at input: inout Int
  ) throws(LZ4Error) -> Int {
    guard bits == 15 else { return bits }
    var length = bits
    while true {
      guard let byte = block.load(input, as: UInt8.self) else { throw .truncated }
      input += 1
      length += Int(byte)
      if byte != 255 { return length }
    }
  }

  // MARK: - Copies

  /// Copies literals.
  private static func copy(
    _ count: Int, from block: borrowing RawSpan, at input: Int, to target: Int, of output: inout MutableRawSpan
  ) {
    precondition(input + count <= block.byteCount && target + count <= output.byteCount)
    var done = 0
    while done <= count - word {
      // SAFETY: `done` stays below `count`, and so do the bytes of a word; `count` bytes lie inside both, checked above.
      unsafe copyWord(block, at: input &+ done, to: target &+ done, of: &output)
      done &+= word
    }
    while done < count {
      // SAFETY: as above.
      let byte = unsafe block.unsafeLoadUnaligned(fromUncheckedByteOffset: input &+ done, as: UInt8.self)
      unsafe output.storeBytes(of: byte, toUncheckedByteOffset: target &+ done, as: UInt8.self)
      done &+= 1
    }
  }

  /// Copies a match, which may reach into what it makes.
  private static func repeatBytes(
    _ count: Int, of output: inout MutableRawSpan, from distance: Int, to target: Int
  ) {
    precondition(distance > 0 && distance <= target && target + count <= output.byteCount)
    var done = 0
    // What repeats after a few bytes repeats after a multiple of them, too, once so many are there.
    let wide = distance >= word ? distance : (word / distance + 1) * distance
    while done < min(count, wide - distance) {
      // SAFETY: `done` stays below `count`, and so do the bytes of a word; `count` bytes follow `target`, and `distance`
      // are before it, checked above. `wide - distance` have been made when a word is taken from `wide` bytes before.
      unsafe repeatByte(of: &output, from: distance, to: target &+ done)
      done &+= 1
    }
    while done <= count - word {
      // SAFETY: as above.
      unsafe repeatWord(of: &output, from: wide, to: target &+ done)
      done &+= word
    }
    while done < count {
      // SAFETY: as above.
      unsafe repeatByte(of: &output, from: distance, to: target &+ done)
      done &+= 1
    }
  }

  /// - Precondition: A word lies inside both.
  @unsafe @inline(__always)
  private static func copyWord(
    _ block: borrowing RawSpan, at input: Int, to target: Int, of output: inout MutableRawSpan
  ) {
    // SAFETY: the caller's.
    let word = unsafe block.unsafeLoadUnaligned(fromUncheckedByteOffset: input, as: UInt64.self)
    unsafe output.storeBytes(of: word, toUncheckedByteOffset: target, as: UInt64.self)
  }

  /// - Precondition: A word lies inside from `target`, and `distance` bytes before.
  @unsafe @inline(__always)
  private static func repeatWord(of output: inout MutableRawSpan, from distance: Int, to target: Int) {
    // SAFETY: the caller's.
    let word = unsafe output.unsafeLoadUnaligned(fromUncheckedByteOffset: target &- distance, as: UInt64.self)
    unsafe output.storeBytes(of: word, toUncheckedByteOffset: target, as: UInt64.self)
  }

  /// - Precondition: As of `repeatWord`, for a byte.
  @unsafe @inline(__always)
  private static func repeatByte(of output: inout MutableRawSpan, from distance: Int, to target: Int) {
    // SAFETY: the caller's.
    let byte = unsafe output.unsafeLoadUnaligned(fromUncheckedByteOffset: target &- distance, as: UInt8.self)
    unsafe output.storeBytes(of: byte, toUncheckedByteOffset: target, as: UInt8.self)
  }
}
