// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Machine

struct LinuxKernelTests {
  @Test func `a bzImage says what it is and needs`() throws {
    let kernel = try KernelFile().inspect()
    #expect(kernel.version == 0x20f)
    #expect((kernel.codeOffset, kernel.codeSize) == (2560, 4096))
    #expect((kernel.loadAddress, kernel.runtimeSize) == (0x100_0000, 0x1_0000))
    #expect((kernel.commandLineLimit, kernel.initrdLimit) == (2047, 0x3800_0000))
    #expect(kernel.isRelocatable)
    #expect(!kernel.is64Bit)
  }

  @Test func `its first bytes are enough to inspect it`() throws {
    let file = KernelFile()
    let kernel = try LinuxKernel(
      inspecting: Array(file.bytes[..<LinuxKernel.headerSize]).span.bytes, fileSize: UInt64(file.bytes.count))
    #expect(kernel == (try file.inspect()))
  }

  @Test func `a 64-bit kernel is known by its flag, from protocol 2.12 on`() throws {
    var file = KernelFile()
    file[.extendedLoadFlags] = 1
    #expect(try file.inspect().is64Bit)
    file[.version] = 0x20b
    #expect(try !file.inspect().is64Bit)
  }

  @Test func `zero setup sectors mean four`() throws {
    var file = KernelFile()
    file[.setupSectors] = 0
    #expect(try file.inspect().codeOffset == 2560)
  }

  @Test func `before protocol 2.10 a kernel goes to 1 MiB`() throws {
    var file = KernelFile()
    file[.version] = 0x206
    file[.isRelocatable] = 0
    #expect(try file.inspect().loadAddress == 0x10_0000)
  }

  @Test(arguments: [1, 15])
  func `a header that counts paragraphs rounds up`(missing: Int) throws {
    var file = KernelFile()
    file.bytes.removeLast(missing)
    #expect(try file.inspect().codeSize == UInt64(4096 - missing))
  }

  typealias Refusal = TestSupport.Refusal<KernelFile, LinuxBootError>

  @Test(arguments: [
    Refusal("no boot flag", .notLinux) { $0[.bootFlag] = 0 },
    Refusal("no magic", .notLinux) { $0[.magic] = 0x1234 },
    Refusal("empty file", .truncated) { $0.bytes = [] },
    Refusal("cut in the header", .truncated) { $0.bytes.removeSubrange(0x204...) },
    Refusal("cut behind the header", .truncated) { $0.bytes.removeSubrange(0x26c...) },
    Refusal("cut by a paragraph", .truncated) { $0.bytes.removeLast(16) },
    Refusal("more code than file", .truncated) { $0[.paragraphs] = .max },
    Refusal("more setup than file", .truncated) { $0[.setupSectors] = 255 },
    Refusal("no code", .badHeader) { $0[.paragraphs] = 0 },
    Refusal("protocol 2.05", .oldProtocol) { $0[.version] = 0x205 },
    Refusal("a zImage", .notLoadedHigh) { $0[.loadFlags] = 0 },
    Refusal("a header that ends early", .badHeader) { $0[.jumpDistance] = 0x10 },
    Refusal("a header that runs into other things", .badHeader) { $0[.jumpDistance] = 0x8f },
    Refusal("an alignment that is none", .badHeader) { $0[.alignment] = 0x30_0000 },
    Refusal("no alignment", .badHeader) { $0[.alignment] = 0 },
    Refusal("an unaligned address", .badHeader) { $0[.preferredAddress] = 0x110_0000 },
    Refusal("an address below 1 MiB", .badHeader) { $0[.preferredAddress] = 0 },
    Refusal("an address beyond 4 GiB", .badHeader) { $0[.preferredAddress] = 0x1_0000_0000 },
    Refusal("an address that overflows", .badHeader) { $0[.preferredAddress] = 0xffff_ffff_ffe0_0000 },
    Refusal("a size beyond 4 GiB", .badHeader) { $0[.runtimeSize] = .max },
  ])
  func `a header that lies is refused with its reason`(refusal: Refusal) {
    var file = KernelFile()
    refusal.change(&file)
    #expect(throws: refusal.reason, "\(refusal.what)") { try file.inspect() }
  }

  @Test func `no header traps`() {
    var random = SplitMix64(seed: 0xb00)
    let memory = TestMemory(low: 32 << 20)
    for _ in 0..<fuzzRounds(2_000) {
      var file = KernelFile(code: 64)
      for _ in 0..<(1 + random.next() % 4) {
        file.bytes[0x1f1 + Int(random.next() % 0x80)] = UInt8(truncatingIfNeeded: random.next() >> (random.next() % 64))
      }
      file.bytes.removeLast(Int(random.next() % 8 == 0 ? random.next() % UInt64(file.bytes.count) : 0))
      _ = try? LinuxBoot.load(
        kernel: file.bytes.span.bytes, initrd: [1, 2, 3].span.bytes, commandLine: [0x61].span.bytes,
        rsdp: GuestAddress(0), randomness: random.next(), into: memory.guest)
    }
  }
}

struct LinuxBootTests {
  private let memory = TestMemory(low: 32 << 20, high: 1 << 20)
  private let parameters: UInt64 = 0x7000

  private func load(
    _ file: KernelFile = KernelFile(), initrd: [UInt8] = [], commandLine: String = "console=ttyS0",
    randomness: UInt64 = 0, into other: GuestMemory? = nil
  ) throws -> EntryState {
    try LinuxBoot.load(
      kernel: file.bytes.span.bytes, initrd: initrd.span.bytes, commandLine: Array(commandLine.utf8).span.bytes,
      rsdp: GuestAddress(0xf_0000), randomness: randomness, into: other ?? memory.guest)
  }

  @Test func `the entry state is that of the 32-bit protocol`() throws {
    let entry = try load()
    #expect((entry.entryPoint, entry.bootParameters) == (0x100_0000, 0x7000))
    #expect((entry.codeSelector, entry.dataSelector, entry.gdtLimit) == (0x10, 0x18, 0x1f))
    #expect(entry.stackTop <= entry.bootParameters && entry.stackTop - 16384 > entry.gdtBase + UInt32(entry.gdtLimit))
    #expect(try memory.read(UInt64(entry.gdtBase) + 0x10, as: UInt64.self) == 0x00cf_9b00_0000_ffff)
    #expect(try memory.read(UInt64(entry.gdtBase) + 0x18, as: UInt64.self) == 0x00cf_9300_0000_ffff)
  }

  @Test func `the code is at its place, first byte to last`() throws {
    _ = try load()
    #expect(try memory.bytes(0x100_0000, 4096).allSatisfy { $0 == 0xc3 })
    #expect(try memory.read(0x100_1000, as: UInt8.self) == 0)
  }

  @Test func `the zero page has header, command line, ACPI tables and no screen`() throws {
    try memory.guest.fill(GuestAddress(parameters), count: 4096, with: 0xff)
    _ = try load(commandLine: "quiet")
    #expect(try memory.read(parameters + 0x202, as: UInt32.self) == 0x5372_6448)
    #expect(try memory.read(parameters + 0x210, as: UInt8.self) == 0xff)
    #expect(try memory.read(parameters + 0x070, as: UInt64.self) == 0xf_0000)
    #expect(try memory.bytes(parameters, 0x40).allSatisfy { $0 == 0 })
    #expect(try memory.bytes(parameters + 0x26c, 0x64).allSatisfy { $0 == 0 })
    let line = try UInt64(memory.read(parameters + 0x228, as: UInt32.self))
    #expect(try memory.bytes(line, 6) == Array("quiet\0".utf8))
  }

  @Test func `the memory map has all memory and the firmware's areas`() throws {
    _ = try load()
    let count = try memory.read(parameters + 0x1e8, as: UInt8.self)
    let ranges = try (0..<UInt64(count)).map { index in
      let entry = parameters + 0x2d0 + 20 * index
      return [
        try memory.read(entry, as: UInt64.self), try memory.read(entry + 8, as: UInt64.self),
        UInt64(try memory.read(entry + 16, as: UInt32.self)),
      ]
    }
    #expect(
      ranges == [
        [0, 0x9_fc00, 1], [0x9_fc00, 0x400, 2], [0xf_0000, 0x1_0000, 2], [0x10_0000, 31 << 20, 1],
        [0x1_0000_0000, 1 << 20, 1],
      ])
  }

  @Test func `the initial RAM disk is as high as it may be`() throws {
    _ = try load(initrd: [1, 2, 3])
    #expect(try memory.read(parameters + 0x218, as: UInt32.self) == 0x1ff_f000)
    #expect(try memory.read(parameters + 0x21c, as: UInt32.self) == 3)
    #expect(try memory.bytes(0x1ff_f000, 3) == [1, 2, 3])

    var file = KernelFile()
    file[.initrdLastAddress] = 0x17f_ffff
    _ = try load(file, initrd: [1, 2, 3])
    #expect(try memory.read(parameters + 0x218, as: UInt32.self) == 0x17f_f000)
  }

  @Test func `a 32-bit kernel has its RAM disk in reach of its direct mapping, unless there is no room`() throws {
    let memory = TestMemory(low: 1 << 30)
    _ = try load(initrd: [1], into: memory.guest)
    #expect(try memory.read(parameters + 0x218, as: UInt32.self) == (864 << 20) - 4096)
    var file = KernelFile()
    file[.runtimeSize] = 900 << 20
    file[.initrdLastAddress] = 0x7fff_ffff
    _ = try load(file, initrd: [1], into: memory.guest)
    #expect(try memory.read(parameters + 0x218, as: UInt32.self) == (1 << 30) - 4096)
  }

  @Test func `an initial RAM disk that would touch the kernel is refused`() throws {
    let room = (32 << 20) - (16 << 20) - 0x1_0000
    _ = try load(initrd: Array(repeating: 7, count: room))
    #expect(throws: LinuxBootError.initrdTooBig) { try load(initrd: Array(repeating: 7, count: room + 1)) }
    var file = KernelFile()
    file[.initrdLastAddress] = 0
    #expect(throws: LinuxBootError.initrdTooBig) { try load(file, initrd: [1, 2]) }
  }

  @Test func `a command line is as long as the kernel says and no longer`() throws {
    _ = try load(commandLine: String(repeating: "a", count: 2047))
    #expect(throws: LinuxBootError.commandLineTooLong) { try load(commandLine: String(repeating: "a", count: 2048)) }
    var file = KernelFile()
    file[.commandLineLimit] = .max
    #expect(throws: LinuxBootError.commandLineTooLong) {
      try load(file, commandLine: String(repeating: "a", count: 0x7_fc00))
    }
  }

  @Test func `a kernel that needs more memory than there is is refused`() {
    var file = KernelFile()
    file[.runtimeSize] = 0x100_0001
    #expect(throws: LinuxBootError.kernelTooBig) { try load(file) }
  }

  @Test func `memory too small, or reaching the device window, is refused`() {
    let small = TestMemory(low: 1 << 20)
    #expect(throws: LinuxBootError.badMemorySize) { try load(into: small.guest) }
    let claim = GuestMemory(unsafeLow: UnsafeMutableRawPointer(bitPattern: 4096)!, lowSize: 0xc000_1000)
    #expect(throws: LinuxBootError.badMemorySize) { try load(into: claim) }
  }

  @Test func `a guest with direct-mapped memory has all but conventional memory there, kernel and RAM disk too`() throws
  {
    let direct = TestMemory(low: 32 << 20, base: 64 << 20)
    let entry = try load(initrd: [1, 2, 3], into: direct.guest)

    #expect(entry.entryPoint == 66 << 20)
    #expect(try direct.read(0x7000 + 0x218, as: UInt32.self) == (96 << 20) - 4096)
    #expect(try direct.bytes((96 << 20) - 4096, 3) == [1, 2, 3])
    let map = try (0..<4 as Range<UInt64>).map { index in
      let place = 0x7000 + 0x2d0 + 20 * index
      let kind = try direct.read(place + 16, as: UInt32.self)
      return try [direct.read(place, as: UInt64.self), direct.read(place + 8), UInt64(kind)]
    }
    #expect(map == [[0, 0x9_fc00, 1], [0x9_fc00, 0x400, 2], [0xf_0000, 0x1_0000, 2], [66 << 20, 30 << 20, 1]])
    #expect(try direct.read(0x7000 + 0x1e8, as: UInt8.self) == 4)
  }

  @Test func `direct-mapped memory that reaches the device window is refused`() {
    let claim = GuestMemory(
      unsafeLow: UnsafeMutableRawPointer(bitPattern: 4096)!, lowSize: 32 << 20, base: 0xbf00_0000)
    #expect(throws: LinuxBootError.badMemorySize) { try load(into: claim) }
  }
}
