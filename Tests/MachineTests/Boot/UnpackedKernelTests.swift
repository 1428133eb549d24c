// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Machine

struct UnpackedKernelTests {
  private let memory = TestMemory(low: 32 << 20)
  private let parameters: UInt64 = 0x7000
  /// Chance that chooses the lowest and the highest place.
  private let lowest = UInt64.min
  private let highest = UInt64.max

  @discardableResult
  private func load(
    _ file: UnpackedFile = UnpackedFile(), initrd: [UInt8] = [], commandLine: String = "quiet", randomness: UInt64 = 0
  ) throws -> EntryState {
    try LinuxBoot.load(
      kernel: file.bytes.span.bytes, initrd: initrd.span.bytes, commandLine: Array(commandLine.utf8).span.bytes,
      rsdp: GuestAddress(0xf_0000), randomness: randomness, into: memory.guest)
  }

  private func word(_ address: UInt64) throws -> UInt32 { try memory.read(address, as: UInt32.self) }

  @Test func `its first bytes say which form a kernel has`() throws {
    #expect(try UnpackedFile().inspect().setup.loadAddress == 0x100_0000)
    guard case .unpacked(let kernel) = try UnpackedFile().inspect() else { Issue.record("packed"); return }
    #expect(kernel.head == UnpackedFile().head)
    #expect(try GuestKernel(inspecting: KernelFile().bytes.span.bytes) == .packed(KernelFile().inspect()))
  }

  @Test func `the head has no padding`() {
    #expect(MemoryLayout<UnpackedKernelHead>.size == 36)
    #expect(MemoryLayout<UnpackedKernelHead>.offset(of: \.version) == 8)
    #expect(MemoryLayout<UnpackedKernelHead>.offset(of: \.blocksSize) == 32)
  }

  @Test func `at its own place the image lies as it is, and memory behind it is zero to its end`() throws {
    try memory.guest.fill(GuestAddress(0x100_0000), count: 0x4000, with: 0xff)
    let entry = try load(randomness: lowest)

    #expect(entry.entryPoint == 0x100_0010)
    #expect(try memory.bytes(0x100_0000, 4094).allSatisfy { $0 == 0x11 })
    #expect(try memory.bytes(0x100_0000 + 4094, 0x3000 - 4094).allSatisfy { $0 == 0 })
    #expect(try memory.read(0x100_3000, as: UInt8.self) == 0xff)
  }

  @Test func `an image of several blocks, packed and not, is put together`() throws {
    var file = UnpackedFile()
    // 4 MiB of one byte: a literal, and a match that repeats it, whose length is 19 and many times 255 and the rest.
    let length = (4 << 20) - 1 - 5 - 19
    let long: [UInt8] = [0x1f, 7, 1, 0] + Array(repeating: 255, count: length / 255) + [UInt8(length % 255)]
    let packed: [UInt8] = long + [0x50, 7, 7, 7, 7, 7]
    let size = UInt32(packed.count)
    let blocks = UnpackedFile.word(size) + packed + UnpackedFile.word(size) + packed
    file.put(blocks + UnpackedFile.word(3, isStored: true) + [1, 2, 3], making: (8 << 20) + 3)
    file.head.memorySize = (8 << 20) + 4096
    try memory.guest.fill(GuestAddress(0x100_0000), count: 9 << 20, with: 0xff)
    try load(file, randomness: lowest)

    for place: UInt64 in [0, 1, (4 << 20) - 1, 4 << 20, (8 << 20) - 1] {
      #expect(try memory.read(0x100_0000 + place, as: UInt8.self) == 7)
    }
    #expect(try memory.bytes(0x180_0000, 5) == [1, 2, 3, 0, 0])
  }

  @Test func `elsewhere each word that holds an address is moved as far, the first and the last too`() throws {
    let entry = try load(randomness: highest)

    let base: UInt64 = 0x1e0_0000  // 64 KiB fit behind the last multiple of 2 MiB below 32 MiB
    let moved = 0x1111_1111 + UInt32(base - 0x100_0000)
    #expect(UInt64(entry.entryPoint) == base + 16)
    #expect(try [0, 100, 4090].map { try word(base + $0) } == [moved, moved, moved])
    #expect(try [4, 96, 104, 4086].map { try word(base + $0) } == Array(repeating: 0x1111_1111, count: 4))
    #expect(try word(0x100_0000) == 0)
  }

  @Test func `a distance beyond the last address wraps`() throws {
    var file = UnpackedFile()
    file.blocks = UnpackedFile.word(4094, isStored: true) + Array(repeating: 0xff, count: 4094)
    try load(file, randomness: highest)
    #expect(try word(0x1e0_0000) == 0xdf_ffff)
  }

  @Test func `the kernel gets the bzImage's header, and hears that its place was left to chance`() throws {
    try load(randomness: lowest)
    #expect(try word(parameters + 0x202) == 0x5372_6448)
    #expect(try memory.read(parameters + 0x211, as: UInt8.self) == 0b11)
    #expect(try memory.bytes(parameters, 0x40).allSatisfy { $0 == 0 })
  }

  @Test(arguments: ["nokaslr", "quiet nokaslr", "mem=64M quiet", "quiet memmap=1M$3M"])
  func `the command line can keep a kernel at its own place`(commandLine: String) throws {
    var file = UnpackedFile()
    file.setup[.loadFlags] = 0b11
    let entry = try load(file, commandLine: commandLine, randomness: highest)
    #expect(entry.entryPoint == 0x100_0010)
    #expect(try memory.read(parameters + 0x211, as: UInt8.self) == 0b01)
  }

  @Test(arguments: ["", "nokaslr2", "xnokaslr", "nokaslr=1", "nokasl", "xmem=1M", "mem", "memtest=1"])
  func `other words do not`(commandLine: String) throws {
    #expect(try load(commandLine: commandLine, randomness: highest).entryPoint == 0x1e0_0010)
  }

  @Test func `a kernel without relocations, or that says it cannot be moved, stays at its place`() throws {
    var file = UnpackedFile()
    (file.relocations, file.head.relocationCount, file.head.relocationsSize) = ([], 0, 0)
    #expect(try load(file, randomness: highest).entryPoint == 0x100_0010)
    file.setup[.isRelocatable] = 0
    #expect(try load(file, randomness: highest).entryPoint == 0x100_0010)
    #expect(try memory.read(parameters + 0x211, as: UInt8.self) == 1)
  }

  @Test func `the initial RAM disk is as high as ever, and the kernel below it`() throws {
    let size = (8 << 20) + 4096
    let entry = try load(initrd: Array(repeating: 7, count: size), randomness: highest)
    #expect(try word(parameters + 0x218) == UInt32((32 << 20) - size))
    // 24 MiB are one page too high.
    #expect(entry.entryPoint == 0x160_0010)
    #expect(try memory.bytes(UInt64((32 << 20) - size), 16).allSatisfy { $0 == 7 })
  }

  // MARK: - Hostile files

  typealias Refusal = TestSupport.Refusal<UnpackedFile, LinuxBootError>

  @Test(arguments: [
    Refusal("another version", .otherForm) { $0.head.version = 1 },
    Refusal("no image", .badUnpackedKernel) { $0.head.imageSize = 0 },
    Refusal("an image larger than the memory", .badUnpackedKernel) { $0.head.memorySize = 4093 },
    Refusal("more image than blocks", .badBlock) { ($0.head.imageSize, $0.head.memorySize) = (1 << 20, 1 << 20) },
    Refusal("as much image as there can be", .kernelTooBig) { ($0.head.imageSize, $0.head.memorySize) = (.max, .max) },
    Refusal("less image than blocks", .badBlock) { $0.head.imageSize = 4093 },
    Refusal("no blocks", .badBlock) { $0.put([]) },
    Refusal("half a block's size", .badBlock) { $0.put([1, 0]) },
    Refusal("a block beyond the blocks", .badBlock) { $0.blocks[0] += 1 },
    Refusal("as large a block as there can be", .badBlock) {
      $0.blocks.replaceSubrange(0..<4, with: [0xff, 0xff, 0xff, 0xff])
    },
    Refusal("a stored block that is too small", .badBlock) { $0.put($0.blocks, making: 4095) },
    Refusal("a block too many", .badBlock) { $0.put($0.blocks + UnpackedFile.word(0)) },
    Refusal("a byte behind the blocks", .badBlock) { $0.put($0.blocks + [0]) },
    Refusal("bytes that are no block", .badBlock) { $0.blocks[3] = 0 },
    Refusal("a block that makes too little", .badBlock) { $0.put(UnpackedFile.word(2) + [0x10, 1], making: 17) },
    Refusal("more blocks than file", .truncated) { $0.head.blocksSize += 1 },
    Refusal("as many blocks as there can be", .truncated) { $0.head.blocksSize = .max },
    Refusal("more memory than the guest has", .kernelTooBig) { $0.head.memorySize = 17 << 20 },
    Refusal("as much memory as there can be", .kernelTooBig) { $0.head.memorySize = .max },
    Refusal("an entry behind the image", .badUnpackedKernel) { $0.head.entry = 4094 },
    Refusal("an entry far off", .badUnpackedKernel) { $0.head.entry = .max },
    Refusal("more relocations than file", .truncated) { $0.head.relocationsSize = 5 },
    Refusal("as many relocations as there can be", .truncated) { $0.head.relocationsSize = .max },
    Refusal("more relocations than bytes for them", .truncated) { $0.head.relocationCount = 5 },
    Refusal("more relocations than the bytes make", .badRelocation) { $0.head.relocationCount = 4 },
    Refusal("relocations of what cannot be moved", .badUnpackedKernel) { $0.setup[.isRelocatable] = 0 },
    Refusal("a 64-bit kernel", .badUnpackedKernel) { $0.setup[.extendedLoadFlags] = 1 },
    Refusal("no preferred address", .badUnpackedKernel) {
      ($0.setup[.version], $0.setup[.alignment]) = (0x209, 0x10_0000)
    },
    Refusal("no setup header", .notLinux) { $0.setup[.magic] = 0 },
    Refusal("a setup header that lies", .badHeader) { $0.setup[.preferredAddress] = 0 },
    Refusal("a relocation that ends behind the image", .badRelocation) { $0.relocations[2] = 0x97 },
    Refusal("a relocation without an end", .badRelocation) { $0.relocations[3] = 0x9f },
    Refusal("a relocation far off", .badRelocation) { $0.place([0xff, 0xff, 0xff, 0xff, 0x0f]) },
    Refusal("a relocation beyond 32 bits", .badRelocation) { $0.place([0xff, 0xff, 0xff, 0xff, 0x1f]) },
    Refusal("a relocation of many bytes", .badRelocation) { $0.place([0x80, 0x80, 0x80, 0x80, 0x80, 0]) },
    Refusal("a relocation beyond the guest's memory", .badRelocation) { $0.place([0xff, 0xff, 0xff, 0x7f]) },
  ])
  func `a file that lies is refused with its reason`(refusal: Refusal) {
    var file = UnpackedFile()
    refusal.change(&file)
    #expect(throws: refusal.reason, "\(refusal.what)") { try load(file, randomness: highest) }
  }

  @Test func `a file that is cut anywhere is refused`() {
    let bytes = UnpackedFile().bytes
    for count in [8, 12, 31, 512, 600, 511 + LinuxKernel.headerSize, 4096, 8000, bytes.count - 1] {
      #expect(throws: LinuxBootError.truncated, "\(count) bytes") {
        try GuestKernel(inspecting: Array(bytes[..<count]).span.bytes)
      }
    }
  }

  @Test func `no file traps, and none writes outside what it asked for`() {
    var random = SplitMix64(seed: 0x0ff5e7)
    for _ in 0..<fuzzRounds(2_000) {
      var file = UnpackedFile()
      file.relocations = file.relocations.map {
        random.next() % 4 == 0 ? UInt8(truncatingIfNeeded: random.next()) : $0
      }
      var bytes = file.bytes
      for _ in 0..<(1 + random.next() % 3) {
        let place = random.next() % 2 == 0 ? 12 + random.next() % 24 : 512 + 0x1f1 + random.next() % 0x80
        bytes[Int(place)] = UInt8(truncatingIfNeeded: random.next() >> (random.next() % 64))
      }
      bytes.removeLast(Int(random.next() % 8 == 0 ? random.next() % UInt64(bytes.count) : 0))
      _ = try? LinuxBoot.load(
        kernel: bytes.span.bytes, initrd: [1, 2, 3].span.bytes, commandLine: [0x61].span.bytes,
        rsdp: GuestAddress(0), randomness: random.next(), into: memory.guest)
    }
  }
}
