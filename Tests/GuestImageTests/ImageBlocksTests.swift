// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Foundation
import HostTools
import Logging
import SystemPackage
import TestSupport
import Testing

@testable import GuestImage
@testable import Machine

/// The way of a kernel's image into blocks, with the host's own `lz4`, and out of them, as a VMM takes it.
final class ImageBlocksTests {
  private let material: GuestMaterial
  private let folder: FilePath
  private let memory = TestMemory(size: 12 << 20)

  init() {
    folder = FilePath(NSTemporaryDirectory()).appending("roost-\(UUID().uuidString)")
    material = GuestMaterial(
      cache: folder, tools: ToolRunner(logger: Logger(label: "test")), progress: Progress { _, _ in })
  }

  deinit { try? FileManager.default.removeItem(atPath: folder.string) }

  /// The image that a VMM makes of blocks.
  private func image(of blocks: [UInt8], count: Int) throws -> [UInt8] {
    try ImageBlockReader.write(blocks.span.bytes, count: UInt64(count), at: 4096, to: memory.memory)
    return memory.bytes(4096, count: count)
  }

  /// Bytes of which each run repeats one before, or is new; the more are new the less they can be packed.
  private func made(_ count: Int, newOutOf8 new: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: UInt64(count))
    var bytes: [UInt8] = []
    while bytes.count < count {
      let length = Int(4 + random.next() % 400)
      if bytes.isEmpty || random.next() % 8 < new {
        for _ in 0...length / 8 { withUnsafeBytes(of: random.next()) { bytes += $0 } }
      } else {
        let start = bytes.count - 1 - Int(random.next() % UInt64(min(bytes.count, 100_000)))
        bytes += bytes[start...].prefix(length)
      }
    }
    return Array(bytes.prefix(count))
  }

  @Test(arguments: [1, 12, 13, 1_000, 70_000, 4 << 20, (4 << 20) + 1, 9 << 20], [UInt64(0), 3, 8])
  func `what lz4 packs a VMM unpacks`(count: Int, new: UInt64) async throws {
    do { try await ToolRunner.require(.lz4) } catch { return }
    let bytes = made(count, newOutOf8: new)
    let blocks = await material.blocks(of: bytes)

    #expect(try image(of: blocks, count: count) == bytes)
    if new < 8, count > 1_000 { #expect(blocks.count < count) }
    #expect(try Files.list(folder).isEmpty)
  }

  @Test(arguments: [1, 4 << 20, (4 << 20) + 1, 9 << 20])
  func `without lz4 the blocks have the image's own bytes`(count: Int) throws {
    let bytes = made(count, newOutOf8: 0)
    let blocks = ImageBlocks.stored(bytes)
    #expect(blocks.count == count + 4 * ((count + (4 << 20) - 1) >> 22))
    #expect(try image(of: blocks, count: count) == bytes)
  }

  /// A frame of one block that is stored as it is.
  private static let frame: [UInt8] = [4, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 3, 0, 0, 0x80, 1, 2, 3, 0, 0, 0, 0]

  @Test func `a frame's blocks are taken as they are`() {
    #expect(ImageBlocks.taken(fromFrame: Self.frame, count: 3) == [3, 0, 0, 0x80, 1, 2, 3])
  }

  struct Change: Sendable {
    let what: String
    let apply: @Sendable (inout [UInt8]) -> Void

    init(_ what: String, _ apply: @escaping @Sendable (inout [UInt8]) -> Void) {
      self.what = what
      self.apply = apply
    }
  }

  @Test(arguments: [
    Change("another magic number") { $0[0] = 5 },
    Change("blocks that need each other") { $0[4] = 0x40 },
    Change("checksums of blocks") { $0[4] = 0x70 },
    Change("a checksum of all") { $0[4] = 0x64 },
    Change("a stored block that is too small") { ($0[7], $0[13]) = (2, 0) },
    Change("a block beyond the frame") { $0[8] = 1 },
    Change("a packed block no smaller than its contents") { $0[10] = 0 },
    Change("an end where a block should be") { $0[7...] = [0, 0, 0, 0] },
    Change("no end") { $0.removeLast(4) },
    Change("a block too many") { $0[14] = 1 },
    Change("a byte behind the end") { $0.append(0) },
  ])
  func `a frame of another form is not taken`(change: Change) {
    var frame = Self.frame
    change.apply(&frame)
    #expect(ImageBlocks.taken(fromFrame: frame, count: 3) == nil, "\(change.what)")
  }
}
