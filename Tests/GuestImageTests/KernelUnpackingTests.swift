// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostTools
import Logging
import SystemPackage
import TestSupport
import Testing

@testable import GuestImage

/// The way from a bzImage to its kernel, with the host's own tools.
final class KernelUnpackingTests {
  private let folder: FilePath
  private let tools = ToolRunner(logger: Logger(label: "test"))
  private let material: GuestMaterial
  private let made = MadeKernel()

  init() {
    folder = FilePath(NSTemporaryDirectory()).appending("roost-\(UUID().uuidString)")
    material = GuestMaterial(cache: folder, tools: tools, progress: Progress { _, _ in })
  }

  deinit { try? FileManager.default.removeItem(atPath: folder.string) }

  private func packed(with tool: Tool, _ arguments: [String]) async throws -> [UInt8] {
    try Files.createDirectory(folder)
    let plain = folder.appending("plain")
    try Files.write(made.bytes, to: plain)
    return try await tools.run(tool, arguments, reading: plain, limit: 1 << 20)
  }

  struct Packer: Sendable, CustomTestStringConvertible {
    let tool: Tool
    let arguments: [String]
    var addsSize = true
    var testDescription: String { ([tool.name] + arguments).joined(separator: " ") }
  }

  /// As Linux's build calls them.
  @Test(arguments: [
    Packer(tool: .gzip, arguments: ["-n", "-9", "-c"], addsSize: false),
    Packer(tool: .xz, arguments: ["--check=crc32", "--x86", "--lzma2=dict=1MiB", "-c"]),
    Packer(tool: .xz, arguments: ["--format=lzma", "-9", "-c"]),
    Packer(tool: .bzip2, arguments: ["-9", "-c"]),
    Packer(tool: .lz4, arguments: ["-l", "-9", "-c"]),
    Packer(tool: .zstandard, arguments: ["-22", "--ultra", "-c"]),
  ])
  func `a kernel packed in any known way is unpacked`(packer: Packer) async throws {
    // 'make prerequisites' does not install all of them.
    do { try await ToolRunner.require(packer.tool) } catch { return }
    let stream = try await packed(with: packer.tool, packer.arguments)
    let image = made.bzImage(stream, addsSize: packer.addsSize)

    let file = try await material.unpacked(image.bytes)

    let expected = try UnpackedKernelFile(from: PackedKernel(image.bytes), unpacked: made.bytes)
    #expect(await file == expected.bytes(blocks: material.blocks(of: expected.image)))
    #expect(try Files.list(folder) == ["plain"])
  }

  @Test func `more than it says it unpacks to is not taken`() async throws {
    let stream = try await packed(with: .xz, ["-c"])
    let size = made.bytes.count
    await #expect(throws: StaysPacked.tool(.tooMuch(.xz, limit: size - 1))) {
      try await material.unpacked(made.bzImage(stream, size: size - 1).bytes)
    }
    await #expect(throws: StaysPacked.wrongSize) {
      try await material.unpacked(made.bzImage(stream, size: size + 1).bytes)
    }
  }

  @Test func `a damaged stream stays packed, and the tool's words say why`() async throws {
    var stream = try await packed(with: .xz, ["-c"])
    stream[stream.count / 2] ^= 0xff
    let reason = await #expect(throws: StaysPacked.self) {
      try await material.unpacked(made.bzImage(stream).bytes)
    }
    guard case .tool(.failed(.xz, let saying)) = reason else { Issue.record("\(String(describing: reason))"); return }
    #expect(saying.contains("orrupt"))
    #expect(reason?.isWorthKnowing == true)
  }

  // MARK: - The bzImage

  typealias Refusal = TestSupport.Refusal<MadeBzImage, StaysPacked>

  @Test(arguments: [
    Refusal("no kernel at all", .oldHeader) { $0.bytes = [1, 2, 3] },
    Refusal("protocol 2.09", .oldHeader) { $0.put(UInt16(0x209), at: 0x206) },
    Refusal("a 64-bit kernel", .is64Bit) { $0.put(UInt16(1), at: 0x236) },
    Refusal("no payload", .noPayload) { $0.put(UInt32(0), at: 0x24c) },
    Refusal("a payload of its size alone", .noPayload) { $0.put(UInt32(4), at: 0x24c) },
    Refusal("a payload behind the code", .noPayload) { $0.put(UInt32(1 << 20), at: 0x248) },
    Refusal("a payload that ends behind it", .noPayload) { $0.put(UInt32(1 << 20), at: 0x24c) },
    Refusal("a payload at the last address", .noPayload) { $0.put(UInt32.max, at: 0x248) },
    Refusal("as much payload as there can be", .noPayload) { $0.put(UInt32.max, at: 0x24c) },
    Refusal("an unknown compression", .unknownCompression) { $0.put(UInt32(0), at: 5 * 512 + 64) },
    Refusal("more than the memory it asks for", .badSize) { $0.put(UInt32(0x1_0001), at: 5 * 512 + 64 + 8) },
    Refusal("more memory than there is below 512 MiB", .badSize) { $0.put(UInt32(512 << 20), at: 0x260) },
    Refusal("a size of nothing", .badSize) { $0.put(UInt32(0), at: 5 * 512 + 64 + 8) },
  ])
  func `a bzImage that does not say what it holds stays packed`(refusal: Refusal) {
    var image = made.bzImage([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 1])
    refusal.change(&image)
    #expect(throws: refusal.reason, "\(refusal.what)") { try PackedKernel(image.bytes) }
  }

  @Test func `no bzImage traps`() {
    var random = SplitMix64(seed: 0xb2)
    for _ in 0..<fuzzRounds(2_000) {
      var image = made.bzImage([0x1f, 0x8b])
      for _ in 0..<(1 + random.next() % 4) {
        let place = random.next() % 8 == 0 ? UInt64(5 * 512 + 64) + random.next() % 6 : 0x1f1 + random.next() % 0x80
        image.bytes[Int(place)] = UInt8(truncatingIfNeeded: random.next() >> (random.next() % 64))
      }
      image.bytes.removeLast(Int(random.next() % 8 == 0 ? random.next() % UInt64(image.bytes.count) : 0))
      _ = try? PackedKernel(image.bytes)
    }
  }

  @Test func `a missing tool is named with its package`() {
    let reason = StaysPacked.tool(.missing(.xz))
    #expect("\(reason)".contains("apt-get install xz-utils"))
    #expect(reason.isWorthKnowing && !StaysPacked.is64Bit.isWorthKnowing)
  }
}
