// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import ImagePacking

/// A boot image read back by hand, field by field from the offsets of the ABI's comments.
struct ReadImage {
  let bytes: [UInt8]

  /// Bytes of the part that says what the description says.
  var systemSize: Int { number(bytes, 192, as: UInt64.self) }

  struct File: Equatable {
    var name: String
    var offset: Int
    var size: Int
  }

  /// The bytes of record `index` of a table.
  func record(_ table: BootTable, _ index: Int, size: Int) -> [UInt8] {
    let extent = 24 + table.rawValue * 16
    let offset = Int(bytes.load(extent, as: UInt64.self) ?? 0)
    return Array(bytes[(offset + index * size)...].prefix(size))
  }

  func count(_ table: BootTable) -> Int { Int(bytes.load(24 + table.rawValue * 16 + 8, as: UInt64.self) ?? 0) }

  func records(_ table: BootTable, size: Int) -> [[UInt8]] {
    (0..<count(table)).map { record(table, $0, size: size) }
  }

  var files: [File] {
    records(.files, size: 40).map {
      File(name: text($0.prefix(24)), offset: number($0, 24, as: UInt64.self), size: number($0, 32, as: UInt64.self))
    }
  }

  func contents(_ file: Int) -> [UInt8] { Array(bytes[files[file].offset...].prefix(files[file].size)) }

  func contents(_ name: String) -> [UInt8]? { files.firstIndex { $0.name == name }.map(contents) }

  /// A region mapped into a domain, with what is in it.
  struct Mapping: Equatable, CustomStringConvertible {
    var region: Int
    var kind: RegionKind
    /// The file's name, for regions of files.
    var file = ""
    var size: UInt64
    var address: UInt64
    var isWritable: Bool

    var description: String {
      "\(kind)\(file.isEmpty ? "" : " " + file) \(size) at 0x\(String(address, radix: 16))\(isWritable ? " rw" : "")"
    }
  }

  func mappings(of domain: Int) -> [Mapping] {
    records(.mappings, size: 24).filter { number($0, 0, as: UInt32.self) == domain }.map { mapping in
      let index = number(mapping, 4, as: UInt32.self)
      let region = record(.regions, index, size: 16)
      let file = number(region, 4, as: UInt32.self)
      return Mapping(
        region: index, kind: RegionKind(rawValue: UInt32(number(region, 0, as: UInt32.self))) ?? .log,
        file: file < files.count ? files[file].name : "", size: UInt64(number(region, 8, as: UInt64.self)),
        address: UInt64(number(mapping, 8, as: UInt64.self)), isWritable: number(mapping, 16, as: UInt64.self) == 1)
    }
  }
}

func number<T: FixedWidthInteger & BitwiseCopyable>(_ bytes: [UInt8], _ offset: Int, as type: T.Type) -> Int {
  bytes.load(offset, as: T.self).map { Int(truncatingIfNeeded: $0) } ?? -1
}

func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
