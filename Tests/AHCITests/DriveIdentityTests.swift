// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import AHCI

/// What a drive says of itself (ACS-3, §7.12.7).
struct DriveIdentityTests {
  private func parse(_ words: [UInt16], hasWrongSum: Bool = false) -> DriveIdentity? {
    ModelDrive.block(words, hasWrongSum: hasWrongSum).withUnsafeBytes {
      DriveIdentity(RawSpan(_unsafeBytes: $0))
    }
  }

  private func text(_ text: DriveText) -> String {
    String(decoding: (0..<text.count).map { text[$0] }, as: UTF8.self)
  }

  @Test func `names are unscrambled and trimmed, and unprintable characters do not pass`() throws {
    var words = ModelDrive.identity(serial: " A B")
    words[27] = 0x1b5b
    let drive = try #require(parse(words))

    #expect(text(drive.serial) == "A B")
    #expect(text(drive.model) == "[del Drive")
    #expect(text(drive.firmware) == "1.0")
    let line: LogLine = "disk \(drive.model)!"
    #expect(String(decoding: (0..<line.count).map { line.bytes[$0] }, as: UTF8.self) == "disk [del Drive!")
  }

  @Test(arguments: [
    (512, 0, 0, UInt32(512)), (512, 3, 0, 512), (512, 3, 1, 512), (512, 3, 9, 512), (4096, 0, 0, 4096),
  ])
  func `sectors of 512, 512e and 4Kn drives`(logical: Int, exponent: UInt16, alignment: UInt16, size: UInt32) throws {
    let words = ModelDrive.identity(logical: logical, physicalExponent: exponent, alignment: alignment)
    let drive = try #require(parse(words))

    #expect(drive.sectorSize == size)
    #expect(drive.physicalSectorExponent == UInt8(exponent))
    #expect(drive.alignmentOffset == (alignment < 1 << exponent ? alignment : 0))
  }

  @Test func `settings and abilities`() throws {
    let drive = try #require(parse(ModelDrive.identity(depth: 8)))
    #expect(drive.queueDepth == 8)
    #expect(drive.hasWriteCache && drive.isWriteCacheEnabled && drive.hasFlush && drive.hasDurableWrites)
    #expect(drive.hasDiscard && drive.discardsToZero && drive.isSolidState && !drive.isLocked)

    var words = ModelDrive.identity(depth: 0, trim: false)
    (words[82], words[84], words[217], words[128]) = (0, 0x0040, 7200, 4)
    let plain = try #require(parse(words))
    #expect(plain.queueDepth == 0)
    #expect(!plain.hasWriteCache && !plain.isWriteCacheEnabled && !plain.hasDurableWrites)
    #expect(!plain.hasDiscard && !plain.discardsToZero && !plain.isSolidState && plain.isLocked)

    // Word 76 says nothing if all its bits are one.
    words[76] = 0xffff
    #expect(parse(words)?.queueDepth == 0)
  }

  @Test func `what cannot be is refused`() {
    #expect(parse(ModelDrive.identity()) != nil)
    #expect(parse(ModelDrive.identity(), hasWrongSum: true) == nil)
    #expect(parse(ModelDrive.identity(sectors: 0)) == nil)
    #expect(parse(ModelDrive.identity(sectors: 1 << 48)) != nil)
    #expect(parse(ModelDrive.identity(sectors: 1 << 48 + 1)) == nil)
    #expect(parse([UInt16](repeating: 0xffff, count: 256)) == nil)
    for size in [2, 520, 8192] {
      var words = ModelDrive.identity(logical: 4096)
      words[117] = UInt16(size / 2)
      #expect(parse(words) == nil)
    }
    for (word, bit) in [(83, 10), (49, 8)] {
      var words = ModelDrive.identity()
      words[word] &= ~(1 << UInt16(bit))
      #expect(parse(words) == nil)
    }
  }

  @Test func `any 512 bytes are refused or make sense`() {
    var random = SplitMix64(seed: 1)
    for _ in 0..<fuzzRounds(300) {
      var words = Bool.random(using: &random) ? ModelDrive.identity() : [UInt16](repeating: 0, count: 256)
      for _ in 0..<Int.random(in: 0...200, using: &random) {
        words[Int.random(in: 0..<256, using: &random)] = .random(in: 0...UInt16.max, using: &random)
      }
      guard let drive = parse(words) else { continue }
      #expect(drive.sectorCount > 0 && drive.sectorCount <= 1 << 48)
      #expect([512, 1024, 2048, 4096].contains(drive.sectorSize))
      #expect(drive.queueDepth <= 32 && UInt32(drive.alignmentOffset) < 1 << UInt32(drive.physicalSectorExponent))
    }
  }
}
