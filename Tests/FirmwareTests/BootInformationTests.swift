// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Firmware

/// A PVH start information as QEMU builds it.
private func pvhMemory(
  entries: [(UInt64, UInt64, UInt32)] = [(0x1000, 0x9_e000, 1), (0xf_0000, 0x1_0000, 2), (0x10_0000, 0x3ff0_0000, 1)],
  modules: [(UInt64, UInt64)] = [(0x2000_0800, 0x1234)], commandLine: String? = "quiet", rsdp: UInt64 = 0xf_5a00
) -> TestMemory {
  var memory = TestMemory(size: 0x1_0000)
  memory.put(words([1 << 32 | 0x336e_c578, UInt64(modules.count) << 32, 0x3000]), at: 0x2000)
  memory.put(words([commandLine == nil ? 0 : 0x4000, rsdp, 0x5000, UInt64(entries.count)]), at: 0x2018)
  for (index, module) in modules.enumerated() {
    memory.put(bytes(module.0) + bytes(module.1), at: 0x3000 + UInt64(index) * 32)
  }
  if let commandLine { memory.put(commandLine, at: 0x4000) }
  for (index, entry) in entries.enumerated() {
    memory.put(bytes(entry.0) + bytes(entry.1) + bytes(entry.2), at: 0x5000 + UInt64(index) * 24)
  }
  return memory
}

/// Multiboot2 information from tags given as type and content.
private func multiboot(_ tags: [(UInt32, [UInt8])], end: Bool = true) -> TestMemory {
  var content: [UInt8] = []
  for (type, body) in tags + (end ? [(0, [])] : []) {
    content += bytes(type) + bytes(UInt32(body.count + 8)) + body
    while content.count % 8 != 0 { content.append(0) }
  }
  var memory = TestMemory(base: 0x6000, size: 0x4000)
  memory.put(bytes(UInt32(content.count + 8)) + bytes(UInt32(0)) + content, at: 0x6000)
  return memory
}

private func words(_ values: [UInt64]) -> [UInt8] { values.flatMap { bytes($0) } }

private func mapTag(_ entries: [(UInt64, UInt64, UInt32)]) -> (UInt32, [UInt8]) {
  (6, words([24]) + entries.flatMap { words([$0.0, $0.1, UInt64($0.2)]) })
}

private func efiTag(_ entries: [(UInt32, UInt64, UInt64)]) -> (UInt32, [UInt8]) {
  (17, words([1 << 32 | 48]) + entries.flatMap { words([UInt64($0.0), $0.1, 0, $0.2, 0xf, 0]) })
}

private let information = PhysicalAddress(0x6000)
private let pvhAddress = PhysicalAddress(0x2000)
private let plainMap = mapTag([(0, 0x9_fc00, 1), (0x10_0000, 0x3ff0_0000, 1)])

@Suite struct PVHTests {
  @Test func `a loader's module, command line, root pointer and map are found`() throws {
    let read = try BootInformation(pvh: pvhAddress, in: pvhMemory())

    #expect(read.bootImage == PhysicalRange(start: PhysicalAddress(0x2000_0800), size: 0x1234))
    #expect(read.commandLine == PhysicalRange(start: PhysicalAddress(0x4000), size: 5))
    #expect(read.rsdp == PhysicalAddress(0xf_5a00))
    #expect(read.memoryMap.isFree(start: PhysicalAddress(0x10_0000), size: 0x1ff0_0000))
  }

  @Test func `all that the loader handed over is reserved`() throws {
    let map = try BootInformation(pvh: pvhAddress, in: pvhMemory()).memoryMap
    for page in [0x2000, 0x3000, 0x4000, 0x5000, 0x2000_0000, 0x2000_1000, 0x2000_2000] as [UInt64] {
      #expect(map.isFree(start: PhysicalAddress(page), size: 0x1000) == (page == 0x2000_2000))
    }
  }

  @Test func `a loader without module, command line and root pointer is fine`() throws {
    let read = try BootInformation(pvh: pvhAddress, in: pvhMemory(modules: [], commandLine: nil, rsdp: 0))
    #expect(read.bootImage == nil)
    #expect(read.commandLine == nil)
    #expect(read.rsdp == nil)
  }

  @Test func `a command line without an end is cut`() throws {
    let read = try BootInformation(
      pvh: pvhAddress, in: pvhMemory(commandLine: String(repeating: "x", count: 0x1000)))
    #expect(read.commandLine?.size == 1024)
  }

  @Test func `what is no start information is refused`() {
    var wrongMagic = pvhMemory()
    wrongMagic.put(UInt32(0), at: 0x2000)
    #expect(throws: BootInformationError.badMagic) { try BootInformation(pvh: pvhAddress, in: wrongMagic) }
    var old = pvhMemory()
    old.put(UInt32(0), at: 0x2004)
    #expect(throws: BootInformationError.noMemoryMap) { try BootInformation(pvh: pvhAddress, in: old) }
    var farMap = pvhMemory()
    farMap.put(UInt64.max - 8, at: 0x2000 + 40)
    #expect(throws: BootInformationError.unreadable) { try BootInformation(pvh: pvhAddress, in: farMap) }
    #expect(throws: BootInformationError.unreadable) {
      try BootInformation(pvh: PhysicalAddress(.max), in: pvhMemory())
    }
  }

  @Test func `counts that nobody could mean are refused`() {
    var manyEntries = pvhMemory()
    manyEntries.put(UInt32.max, at: 0x2000 + 48)
    #expect(throws: BootInformationError.badMemoryMap) { try BootInformation(pvh: pvhAddress, in: manyEntries) }
    var manyModules = pvhMemory()
    manyModules.put(UInt32(17), at: 0x2000 + 12)
    #expect(throws: BootInformationError.tooManyModules) { try BootInformation(pvh: pvhAddress, in: manyModules) }
  }

  @Test(arguments: [(0x1000, 0), (0x1000, .max), (1 << 52, 1)] as [(UInt64, UInt64)])
  func `an impossible module is refused`(module: (UInt64, UInt64)) {
    #expect(throws: BootInformationError.badModule) {
      try BootInformation(pvh: pvhAddress, in: pvhMemory(modules: [module]))
    }
  }

  @Test func `no start information traps`() {
    var random = SplitMix64(seed: 3)
    for _ in 0..<fuzzRounds(500) {
      var memory = pvhMemory()
      var window = Array(memory.content[0x2000..<0x5048])
      let places = [0..<56, 0x1000..<0x1020, 0x3000..<0x3048]
      for place in places {
        var part = Array(window[place])
        if random.next() % 2 == 0 { random.corrupt(&part) }
        window.replaceSubrange(place, with: part)
      }
      memory.put(window, at: 0x2000)
      _ = try? BootInformation(pvh: pvhAddress, in: memory)
    }
  }
}

@Suite struct Multiboot2Tests {
  @Test func `command line, first module, map and the newer root pointer are found`() throws {
    let memory = multiboot([
      (1, Array("quiet\0".utf8)), (3, bytes(UInt32(0x20_0000)) + bytes(UInt32(0x20_1001)) + [0]),
      (3, bytes(UInt32(0x40_0000)) + bytes(UInt32(0x40_2000)) + [0]), plainMap, (15, [UInt8](repeating: 1, count: 36)),
      (14, [UInt8](repeating: 2, count: 20)), (8, [1, 2, 3]),
    ])
    let read = try BootInformation(multiboot2: information, in: memory)

    #expect(read.bootImage == PhysicalRange(start: PhysicalAddress(0x20_0000), size: 0x1001))
    #expect(read.material == PhysicalRange(start: PhysicalAddress(0x40_0000), size: 0x2000))
    #expect(read.commandLine == PhysicalRange(start: PhysicalAddress(0x6010), size: 5))
    let root = try #require(read.rsdp)
    #expect(memory.load(root, as: UInt8.self) == 1)
    let map = read.memoryMap
    #expect(map.isFree(start: PhysicalAddress(0x10_0000), size: 0x10_0000))
    #expect(!map.isFree(start: PhysicalAddress(0x20_1000), size: 1))
    #expect(!map.isFree(start: PhysicalAddress(0x40_1000), size: 1))
    #expect(!map.isFree(start: PhysicalAddress(0x6000), size: 1))
    #expect(map.isFree(start: PhysicalAddress(0x7000), size: 0x1000))
  }

  @Test(arguments: [false, true])
  func `boot services' memory of an EFI map is free only once they have ended`(bootServicesRun: Bool) throws {
    let efi = efiTag([(7, 0x10_0000, 16), (4, 0x20_0000, 16), (10, 0x30_0000, 16), (6, 0x40_0000, 16)])
    let read = try BootInformation(
      multiboot2: information, in: multiboot([efi] + (bootServicesRun ? [(18, [])] : [])))

    let map = read.memoryMap
    #expect(map.isFree(start: PhysicalAddress(0x10_0000), size: 0x1_0000))
    #expect(map.isFree(start: PhysicalAddress(0x20_0000), size: 0x1_0000) == !bootServicesRun)
    #expect(!map.isFree(start: PhysicalAddress(0x30_0000), size: 1))
    #expect(!map.isFree(start: PhysicalAddress(0x40_0000), size: 1))
  }

  @Test func `tags that do not fit are refused`() {
    var short = multiboot([plainMap])
    short.put(UInt32(4), at: 0x600c)
    #expect(throws: BootInformationError.badTag) { try BootInformation(multiboot2: information, in: short) }
    var long = multiboot([plainMap])
    long.put(UInt32.max, at: 0x600c)
    #expect(throws: BootInformationError.badTag) { try BootInformation(multiboot2: information, in: long) }
    #expect(throws: BootInformationError.badTag) {
      try BootInformation(multiboot2: information, in: multiboot([plainMap], end: false))
    }
  }

  @Test func `a size, map or module that cannot be is refused`() {
    var huge = multiboot([plainMap])
    huge.put(UInt32(0xffff_fff8), at: 0x6000)
    #expect(throws: BootInformationError.badSize) { try BootInformation(multiboot2: information, in: huge) }
    #expect(throws: BootInformationError.noMemoryMap) {
      try BootInformation(multiboot2: information, in: multiboot([(1, [0])]))
    }
    #expect(throws: BootInformationError.badMemoryMap) {
      try BootInformation(multiboot2: information, in: multiboot([(6, bytes(UInt32(0)) + bytes(UInt32(0)))]))
    }
    #expect(throws: BootInformationError.badModule) {
      try BootInformation(
        multiboot2: information, in: multiboot([plainMap, (3, bytes(UInt32(0x2000)) + bytes(UInt32(0x2000)))]))
    }
  }

  @Test func `no information traps`() {
    var random = SplitMix64(seed: 4)
    let good = multiboot([
      (1, Array("quiet\0".utf8)), (3, bytes(UInt32(0x20_0000)) + bytes(UInt32(0x20_1001)) + [0]), plainMap,
      efiTag([(7, 0x10_0000, 16), (4, 0x20_0000, 16)]), (15, [UInt8](repeating: 1, count: 36)),
    ])
    for _ in 0..<fuzzRounds(500) {
      var memory = good
      var window = Array(memory.content[0..<320])
      random.corrupt(&window)
      memory.put(window, at: 0x6000)
      _ = try? BootInformation(multiboot2: information, in: memory)
    }
  }
}
