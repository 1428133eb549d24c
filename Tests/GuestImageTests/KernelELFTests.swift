// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Machine
import TestSupport
import Testing

@testable import GuestImage

/// The kernel's ELF file and what becomes of it.
struct KernelELFTests {
  private func file(_ made: MadeKernel = MadeKernel()) throws(StaysPacked) -> [UInt8] {
    let image = made.bzImage([0x1f, 0x8b])
    return try file(image, made)
  }

  private func file(_ image: MadeBzImage, _ made: MadeKernel) throws(StaysPacked) -> [UInt8] {
    let file = try UnpackedKernelFile(from: PackedKernel(image.bytes), unpacked: made.bytes)
    return file.bytes(blocks: ImageBlocks.stored(file.image))
  }

  @Test func `the image is the segments at their places, without the zeros at its end`() throws {
    let elf = try KernelELF(MadeKernel().bytes, startingAt: 0x100_0000, taking: 0x3000)
    var expected = [UInt8](repeating: 0xc0, count: 0x100) + Array(repeating: 0, count: 0xf00)
    expected += Array(repeating: 0xda, count: 0x82)
    #expect(elf.image == expected)
    #expect(elf.memorySize == 0x3000)
    #expect(try elf.entry() == 16)
    #expect(try elf.relocations() == [0, 0xfc, 0x1000, 0x107e])
  }

  @Test func `segments may come in any order`() throws {
    var made = MadeKernel()
    made.segments.reverse()
    let elf = try KernelELF(made.bytes, startingAt: 0x100_0000, taking: 0x3000)
    #expect(try elf.image == KernelELF(MadeKernel().bytes, startingAt: 0x100_0000, taking: 0x3000).image)
  }

  @Test func `a VMM takes the file for what it is`() throws {
    let bytes = try file()
    guard case .unpacked(let kernel) = try GuestKernel(inspecting: bytes.span.bytes) else {
      Issue.record("not unpacked")
      return
    }
    let head = UnpackedKernelHead(
      entry: 16, imageSize: 0x1082, memorySize: 0x3000, relocationCount: 4, relocationsSize: 6, blocksSize: 0x1086)
    #expect(kernel.head == head)
    #expect((kernel.setup.loadAddress, kernel.setup.alignment) == (0x100_0000, 0x20_0000))
    // 0, 0xfc behind it, 0xf04 behind that, and 0x7e.
    #expect(Array(bytes[(4096 + 4 + 0x1080)...]) == [0xda, 0xda, 0, 0xfc, 0x01, 0x84, 0x1e, 0x7e])
    #expect(try file() == bytes)
  }

  @Test func `what follows a kernel that cannot be moved is not read`() throws {
    var made = MadeKernel()
    made.table = [1, 2, 3]
    var image = made.bzImage([0x1f, 0x8b])
    image.put(UInt8(0), at: 0x234)
    let bytes = try file(image, made)
    guard case .unpacked(let kernel) = try GuestKernel(inspecting: bytes.span.bytes) else {
      Issue.record("not unpacked")
      return
    }
    #expect(kernel.head.relocationCount == 0 && kernel.head.relocationsSize == 0)
  }

  typealias Refusal = TestSupport.Refusal<MadeKernel, StaysPacked>

  @Test(arguments: [
    Refusal("64 bits", .is64Bit) { $0.elfClass = 2 },
    Refusal("no class", .notELF) { $0.elfClass = 0 },
    Refusal("another processor", .notELF) { $0.machine = 40 },
    Refusal("nothing to load", .badSegments) { $0.segments.removeFirst(2) },
    Refusal("a segment outside the file", .badSegments) { $0.segments[0].offset = 0x7000 },
    Refusal("a segment that ends outside the file", .badSegments) { $0.segments[1].fileSize = 0x1000 },
    Refusal("a segment at the file's last address", .badSegments) { $0.segments[1].offset = .max },
    Refusal("more file than memory", .badSegments) { $0.segments[1].memorySize = 0x81 },
    Refusal("segments that overlap", .badSegments) { $0.segments[0].memorySize = 0x1001 },
    Refusal("segments at one place", .badSegments) { $0.segments[1].physical = 0x100_0000 },
    Refusal("a segment below the load address", .badSegments) { $0.segments[1].physical = 0x10_0000 },
    Refusal("another load address", .badSegments) { $0.segments[0].physical = 0x100_0080 },
    Refusal("a segment far off", .badSegments) { $0.segments[1].physical = 0x8000_0000 },
    Refusal("more memory than it asks for", .badSegments) { $0.segments[1].memorySize = 0xf001 },
    Refusal("as much memory as there can be", .badSegments) { $0.segments[1].memorySize = .max },
    Refusal("an entry before the image", .badEntry) { $0.entry = 0xff_ffff },
    Refusal("an entry between the segments", .badEntry) { $0.entry = 0x100_0100 },
    Refusal("an entry in the zeros", .badEntry) { $0.entry = 0x100_1082 },
    Refusal("a virtual entry", .badEntry) { $0.entry = 0xc100_0010 },
    Refusal("a relocation before the segments", .badRelocations) { $0.table[1] = 0xc0ff_ffff },
    Refusal("a relocation that ends behind a segment", .badRelocations) { $0.table[2] = 0xc100_00fd },
    Refusal("a relocation in the zeros", .badRelocations) { $0.table[4] = 0xc100_1082 },
    Refusal("a physical relocation", .badRelocations) { $0.table[4] = 0x100_1000 },
    Refusal("a relocation at the last address", .badRelocations) { $0.table[3] = .max },
    Refusal("no end of the relocations", .badRelocations) { ($0.table[0], $0.sections) = (0xc100_0000, []) },
  ])
  func `a kernel that is not what it should be stays packed`(refusal: Refusal) {
    var made = MadeKernel()
    refusal.change(&made)
    #expect(throws: refusal.reason, "\(refusal.what)") { try file(made) }
  }

  @Test func `no kernel traps, and one that is taken is one for a VMM`() throws {
    var random = SplitMix64(seed: 0x5e6)
    var taken = 0
    for _ in 0..<fuzzRounds(2_000) {
      let made = MadeKernel()
      var bytes = made.bytes
      for _ in 0..<(1 + random.next() % 3) {
        let place = random.next() % 4 == 0 ? UInt64(bytes.count) - 1 - random.next() % 24 : random.next() % 148
        bytes[Int(place)] = UInt8(truncatingIfNeeded: random.next() >> (random.next() % 64))
      }
      let packed = try PackedKernel(made.bzImage([0x1f, 0x8b]).bytes)
      guard let file = try? UnpackedKernelFile(from: packed, unpacked: bytes) else { continue }
      let result = file.bytes(blocks: ImageBlocks.stored(file.image))
      #expect(throws: Never.self) { try GuestKernel(inspecting: result.span.bytes) }
      taken += 1
    }
    #expect(taken > 0)
  }
}
