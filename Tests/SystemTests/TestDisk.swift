// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import DiskImage
import Foundation
import TestDriver

/// A file that stands for a disk, with nothing but a pattern where no partition is.
///
/// It stays where it is until the next test of this name makes it anew.
struct TestDisk: Sendable {
  let path: String
  private let new: NewDisk

  /// The option of `roost run` that makes it a system's disk.
  func option(_ name: String) -> [String] { ["--disk", "\(name)=\(path)"] }

  init(_ name: String, partitions: Int) throws {
    let folder = "\(Repository.root)/.build/test-disks"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    path = "\(folder)/\(name).img"
    try? FileManager.default.removeItem(atPath: path)
    new = NewDisk(partitions: (1...partitions).map { NewPartition(number: $0) }, signature: 0x1234_5678)
    FileManager.default.createFile(atPath: path, contents: nil)
    let file = try FileHandle(forUpdating: URL(filePath: path))
    try file.truncate(atOffset: UInt64(new.size))
    for range in outside {
      try file.seek(toOffset: UInt64(range.lowerBound))
      try file.write(contentsOf: pattern(range))
    }
    for piece in new.contents { try write(piece.bytes, at: piece.offset, file) }
    try file.close()
  }

  /// The bytes of partition `number`.
  func partition(_ number: Int) -> Range<Int> {
    let start = (1 << 20) + (number - 1) * NewDisk.partitionSize
    return start..<start + NewDisk.partitionSize
  }

  /// Whatever belongs to no partition, the table itself but for what was written of it.
  private var outside: [Range<Int>] {
    let end = partition(new.partitions.count).upperBound
    return [512..<1 << 20, end..<new.size]
  }

  /// What is repeated over the whole disk: as many bytes as a prime number, so that no sector looks like another one.
  private static let period = Data((0..<1_048_573).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) })

  private func pattern(_ range: Range<Int>) -> Data {
    var bytes = Data(capacity: range.count)
    while bytes.count < range.count {
      let start = (range.lowerBound + bytes.count) % Self.period.count
      bytes += Self.period[start...].prefix(range.count - bytes.count)
    }
    return bytes
  }

  private func write(_ bytes: [UInt8], at offset: Int, _ file: FileHandle) throws {
    try file.seek(toOffset: UInt64(offset))
    try file.write(contentsOf: Data(bytes))
  }

  /// Writes over some bytes.
  func write(_ bytes: [UInt8], at offset: Int) throws {
    let file = try FileHandle(forUpdating: URL(filePath: path))
    try write(bytes, at: offset, file)
    try file.close()
  }

  func read(_ range: Range<Int>) throws -> Data {
    let file = try FileHandle(forReadingFrom: URL(filePath: path))
    defer { try? file.close() }
    try file.seek(toOffset: UInt64(range.lowerBound))
    return try file.read(upToCount: range.count) ?? Data()
  }

  /// Whether what belongs to no partition is as it was made.
  func isUnharmed() throws -> Bool {
    let table = try read(0..<512)
    guard let record = new.contents.first, table == Data(record.bytes) else { return false }
    for range in outside where try read(range) != pattern(range) { return false }
    return true
  }

  /// The partitions in which `text` stands somewhere.
  func partitions(with text: String) throws -> [Int] {
    let wanted = Data(text.utf8)
    return try new.partitions.map(\.number).filter { try read(partition($0)).range(of: wanted) != nil }
  }
}
