// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Firmware

/// A program header as tests change it.
struct Header {
  var type: UInt32 = 1
  var flags: UInt32 = 5
  var offset: UInt64 = 0x1000
  var address: UInt64 = 0x40_0000
  var fileSize: UInt64 = 0x800
  var memorySize: UInt64 = 0x800

  var content: [UInt8] {
    bytes(type) + bytes(flags) + bytes(offset) + bytes(address) + bytes(address) + bytes(fileSize) + bytes(memorySize)
      + bytes(UInt64(4096))
  }
}

private let code = Header()
private let data = Header(flags: 6, offset: 0x2000, address: 0x40_1000, fileSize: 0x100, memorySize: 0x2100)
private let zeros = Header(flags: 6, offset: 0x1234, address: 0x50_0000, fileSize: 0, memorySize: 0x10)

private func file(_ headers: [Header] = [code, data], entry: UInt64 = 0x40_0010) -> [UInt8] {
  var content = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
  content += bytes(UInt16(2)) + bytes(UInt16(62)) + bytes(UInt32(1)) + bytes(entry) + bytes(UInt64(64))
  content += bytes(UInt64(0)) + bytes(UInt32(0)) + bytes(UInt16(64)) + bytes(UInt16(56))
  content += bytes(UInt16(headers.count)) + [UInt8](repeating: 0, count: 6)
  content += headers.flatMap { $0.content }
  return content + [UInt8](repeating: 0, count: max(0, 0x3000 - content.count))
}

private func parse(_ content: [UInt8], below end: UInt64 = 0x4000_0000_0000) throws(ELFError) -> ELFImage {
  try ELFImage(content.span.bytes, below: end)
}

@Suite struct ELFImageTests {
  @Test func `segments come out as they stand in the file, empty ones left out`() throws {
    let image = try parse(
      file([code, Header(type: 4, address: 1), Header(fileSize: 0, memorySize: 0), data, zeros]))

    #expect(image.entry == 0x40_0010)
    #expect(image.segmentCount == 3)
    #expect(
      image.segment(0)
        == ELFSegment(
          address: 0x40_0000, memorySize: 0x800, fileOffset: 0x1000, fileSize: 0x800, flags: .readable | .executable))
    #expect(image.segment(1).memorySize == 0x2100)
    #expect(image.segment(1).flags == .readable | .writable)
    #expect(image.segment(2).fileSize == 0)
  }

  private static let headers: [(offset: Int, value: UInt8, error: ELFError)] = [
    (0, 0, .notELF64), (4, 1, .notELF64), (5, 2, .notELF64),
    (16, 3, .notExecutable), (18, 3, .notExecutable),
    (54, 57, .badProgramHeaders), (56, 0, .badProgramHeaders), (39, 0xff, .badProgramHeaders),
    (56, 17, .tooManySegments),
  ]

  @Test(arguments: headers)
  func `a wrong header is refused`(change: (offset: Int, value: UInt8, error: ELFError)) {
    var content = file()
    content[change.offset] = change.value
    #expect(throws: change.error) { try parse(content) }
  }

  private static let refusals: [([Header], ELFError)] = [
    ([Header(type: 2)], .notStatic),
    ([Header(type: 3)], .notStatic),
    ([Header(type: 7)], .notStatic),
    ([Header(offset: 0x2000, fileSize: 0x1001, memorySize: 0x1001)], .outsideFile),
    ([Header(offset: UInt64.max - 0xfff, fileSize: 0x2000, memorySize: 0x2000)], .outsideFile),
    ([Header(memorySize: 0x7ff)], .smallerThanFile),
    ([Header(address: 0x3f_f000)], .badAddress),
    ([Header(address: 0x4000_0000_0000)], .badAddress),
    ([Header(memorySize: UInt64.max - 0x40_0000)], .badAddress),
    ([Header(address: UInt64.max - 0xfff, memorySize: 0x2000)], .badAddress),
    ([Header(address: 0x40_0010)], .notPageAligned),
    ([Header(offset: 0x1008)], .notPageAligned),
    ([code, Header(flags: 4)], .overlap),
    ([data, Header(flags: 4, address: 0x40_3000)], .overlap),
    ([Header(flags: 7)], .writableAndExecutable),
  ]

  @Test(arguments: refusals)
  func `a segment that breaks a rule is refused`(refusal: ([Header], ELFError)) {
    #expect(throws: refusal.1) { try parse(file(refusal.0)) }
  }

  @Test func `the entry is inside an executable segment's file bytes`() {
    #expect(throws: ELFError.badEntry) { try parse(file(entry: 0x40_0800)) }
    #expect(throws: ELFError.badEntry) { try parse(file(entry: 0x3f_ffff)) }
    #expect(throws: ELFError.badEntry) { try parse(file(entry: 0x40_1000)) }
    #expect(throws: ELFError.badEntry) { try parse(file([Header(flags: 4)])) }
    #expect(throws: Never.self) { try parse(file(entry: 0x40_07ff)) }
  }

  @Test func `the caller's limit holds for a segment's last page`() {
    #expect(throws: Never.self) { try parse(file(), below: 0x40_4000) }
    #expect(throws: ELFError.badAddress) { try parse(file(), below: 0x40_3fff) }
  }

  @Test func `a file cut anywhere is refused or whole`() {
    let content = file()
    for count in 0..<64 { #expect(throws: ELFError.tooShort) { try parse(Array(content.prefix(count))) } }
    for count in 64..<0x2100 { #expect(throws: (any Error).self) { try parse(Array(content.prefix(count))) } }
  }

  @Test func `no file traps, and what is accepted holds the rules`() {
    var random = SplitMix64(seed: 6)
    for _ in 0..<fuzzRounds(3000) {
      var headers = Array(file([code, data, zeros]).prefix(64 + 3 * 56))
      random.corrupt(&headers)
      let content = headers + [UInt8](repeating: 0, count: 0x3000 - headers.count)
      guard let image = try? parse(content) else { continue }
      for index in 0..<image.segmentCount {
        let segment = image.segment(index)
        #expect(segment.fileSize == 0 || fits(segment.fileOffset, count: segment.fileSize, in: 0x3000))
        #expect(segment.memorySize >= segment.fileSize && segment.end <= 0x4000_0000_0000)
        #expect(segment.address >= 0x40_0000 && segment.address % 4096 == 0)
      }
    }
  }
}
