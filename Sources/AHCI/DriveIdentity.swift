// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What a drive says of itself (IDENTIFY DEVICE; ACS-3, §7.12.7), as far as it can be true.
///
/// Invariant: `sectorCount` is 1 to 2⁴⁸, `sectorSize` a power of two from 512 to 4096.
package struct DriveIdentity: Equatable, Sendable {
  package let model: DriveText
  package let serial: DriveText
  package let firmware: DriveText
  /// Logical sectors: the unit of all addresses.
  package let sectorCount: UInt64
  /// Bytes of a logical sector.
  package let sectorSize: UInt32
  /// Logical sectors in a physical one, as a power of two.
  package let physicalSectorExponent: UInt8
  /// Which logical sector of a physical one sector 0 is.
  package let alignmentOffset: UInt16
  /// Queued commands the drive takes at a time; 0 if it has no queue.
  package let queueDepth: Int
  package let hasWriteCache: Bool
  package var isWriteCacheEnabled: Bool
  package let hasFlush: Bool
  package let hasDurableWrites: Bool
  package let hasDiscard: Bool
  /// Discarded sectors read as zero, always.
  package let discardsToZero: Bool
  /// No rotating medium.
  package let isSolidState: Bool
  /// The drive asks for a password before it moves any data.
  package let isLocked: Bool

  /// - Returns: `nil` if the checksum is wrong, the sizes cannot be, or the drive lacks 48-bit addresses or DMA.
  init?(_ block: borrowing RawSpan) {
    let words = IdentifyWords(copy block)
    guard words.isIntact, words.contains(83, bit: 10), words.contains(49, bit: 8), let size = words.sectorSize,
      let count = words.sectorCount
    else { return nil }
    sectorSize = size
    sectorCount = count
    model = DriveText(block, word: 27, words: 20)
    serial = DriveText(block, word: 10, words: 10)
    firmware = DriveText(block, word: 23, words: 4)
    let exponent = words.physicalSectorExponent
    physicalSectorExponent = exponent
    alignmentOffset = words.alignmentOffset(exponent: exponent)
    queueDepth = words.serialATA(bit: 8) ? Int(words[75] & 0x1f) + 1 : 0
    hasWriteCache = words.contains(82, bit: 5)
    isWriteCacheEnabled = words.contains(82, bit: 5) && words.contains(85, bit: 5)
    hasFlush = words.contains(83, bit: 13)
    hasDurableWrites = words.contains(84, bit: 6)
    hasDiscard = words.contains(169, bit: 0)
    discardsToZero = words.contains(169, bit: 0) && words.contains(69, bit: 14) && words.contains(69, bit: 5)
    isSolidState = words[217] == 1
    isLocked = words.contains(128, bit: 2)
  }

  /// Whether this is the drive that `other` was; settings may have changed.
  package func isSameDrive(as other: Self) -> Bool {
    var settled = self
    settled.isWriteCacheEnabled = other.isWriteCacheEnabled
    return settled == other
  }
}

/// The 256 words of IDENTIFY DEVICE, with the rules for which of them count.
private struct IdentifyWords: ~Escapable {
  private let block: RawSpan

  @_lifetime(copy block)
  init(_ block: RawSpan) { self.block = block }

  subscript(_ index: Int) -> UInt16 { block.load(index * 2) ?? 0 }

  /// Whether `bit` is set, in a word that is valid: some say so in their upper two bits, 01.
  func contains(_ index: Int, bit: Int) -> Bool {
    let word = self[index]
    let isMarked = index == 83 || index == 84 || index == 106 || index == 209
    return (!isMarked || word >> 14 == 1) && word & (1 << bit) != 0
  }

  /// Word 76 is valid if it is neither 0 nor all ones.
  func serialATA(bit: Int) -> Bool { self[76] != 0xffff && self[76] & (1 << bit) != 0 }

  /// Word 255: where its lower half is A5h, the block adds up to zero.
  var isIntact: Bool { self[255] & 0xff != 0xa5 || isSumZero(block) }

  /// Words 106, 117 and 118.
  var sectorSize: UInt32? {
    guard contains(106, bit: 12) else { return 512 }
    let words = UInt32(self[117]) | UInt32(self[118]) << 16
    return words >= 256 && words <= 2048 && words.nonzeroBitCount == 1 ? words * 2 : nil
  }

  /// Words 100 to 103.
  var sectorCount: UInt64? {
    let count = UInt64(self[100]) | UInt64(self[101]) << 16 | UInt64(self[102]) << 32 | UInt64(self[103]) << 48
    return count > 0 && count <= 1 << 48 ? count : nil
  }

  /// Word 106.
  var physicalSectorExponent: UInt8 { contains(106, bit: 13) ? UInt8(self[106] & 0xf) : 0 }

  /// Word 209.
  func alignmentOffset(exponent: UInt8) -> UInt16 {
    let word = self[209]
    return word >> 14 == 1 && word & 0x3fff < 1 << UInt16(exponent) ? word & 0x3fff : 0
  }
}
