// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Firmware

// Information whose outer form is right, so that parsers get to all of it, and whose numbers are whatever hurts; as many
// entries as there is room for and more. The other tests of this kind damage sound information.

/// Numbers as tables have them: mostly small, aligned or at an edge.
private func number(_ random: inout SplitMix64) -> UInt64 {
  switch random.next() % 4 {
  case 0: (1 + random.next() % 0xff) << 20
  case 1: random.next() % 0x10_0000 & ~0xfff
  default: random.hostile()
  }
}

private func hostileBytes(_ count: Int, _ random: inout SplitMix64) -> [UInt8] {
  var content: [UInt8] = []
  while content.count < count {
    switch random.next() % 3 {
    case 0: content += bytes(number(&random))
    case 1: content += bytes(UInt32(truncatingIfNeeded: number(&random)))
    default: content.append(UInt8(truncatingIfNeeded: random.next() % 5))
    }
  }
  return Array(content.prefix(count))
}

@Suite struct LoaderFuzzTests {
  private let place = PhysicalAddress(0x6000)

  /// What holds of any information that is accepted.
  private func check(_ read: BootInformation, _ memory: TestMemory) {
    let map = read.memoryMap
    for range in [read.bootImage, read.material, read.commandLine] {
      guard let range else { continue }
      #expect(range.size > 0 && fits(range.start.value, count: range.size, in: MemoryMap.end))
      #expect(!map.isFree(start: range.start, size: 1))
      #expect(!map.isFree(start: PhysicalAddress(range.end.value - 1), size: 1))
    }
    var end: UInt64 = 0
    for index in 0..<map.freeCount {
      let range = map.freeRange(index)
      #expect(range.start.value > end && range.end.value <= MemoryMap.end)
      #expect(range.start.value >= 4096 && range.start.value % 4096 == 0 && range.size % 4096 == 0)
      end = range.end.value
    }
    if let screen = read.textScreen(in: memory) { #expect(screen.address.value >= 0xa_0000) }
    _ = read.rsdp.map { try? SystemTables(rsdp: $0, in: memory) }
  }

  @Test func `no list of a multiboot2 loader's tags traps, or gives away what is in use`() {
    var random = SplitMix64(seed: 41)
    var accepted = 0
    for _ in 0..<fuzzRounds(400) {
      var content: [UInt8] = []
      for _ in 0..<random.next() % 40 {
        var body = hostileBytes(Int(random.next() % 80), &random)
        let type = UInt32(random.next() % 23 + 1)
        // Maps with entries of a size that can be.
        if type == 6 || type == 17, random.next() % 4 != 0 {
          body = bytes(UInt32(type == 6 ? 24 : 48)) + bytes(UInt32(1))
          for _ in 0..<random.next() % 20 { body += hostileBytes(type == 6 ? 24 : 48, &random) }
        }
        if type == 3, random.next() % 4 != 0 {
          let start = UInt32(truncatingIfNeeded: number(&random))
          body = bytes(start) + bytes(start &+ 1 &+ UInt32(random.next() % 0x10_0000)) + [0]
        }
        content += bytes(type) + bytes(UInt32(body.count + 8)) + body
        content += [UInt8](repeating: 0, count: -content.count & 7)
      }
      content += bytes(UInt64(8) << 32)
      var memory = TestMemory(size: 0x6000 + content.count + 8)
      memory.put(hostileBytes(0x200, &random), at: 0x400)
      memory.put(bytes(UInt32(content.count + 8)) + bytes(UInt32(0)) + content, at: 0x6000)
      guard let read = try? BootInformation(multiboot2: place, in: memory) else { continue }
      accepted += 1
      check(read, memory)
    }
    #expect(accepted > 10, "the test is only worth something if some are accepted")
  }

  @Test func `no lists of a PVH loader trap, or give away what is in use`() {
    var random = SplitMix64(seed: 42)
    var accepted = 0
    for _ in 0..<fuzzRounds(400) {
      var memory = TestMemory(size: 0x1_8000)
      let entries = 1 + random.next() % 300
      let modules = random.next() % 20
      var start = bytes(0x336e_c578 as UInt32) + bytes(UInt32(1)) + bytes(UInt32(0)) + bytes(UInt32(modules))
      start += bytes(UInt64(0x7000)) + bytes(UInt64(0x6f00)) + bytes(number(&random)) + bytes(UInt64(0x8000))
      memory.put(start + bytes(UInt32(entries)), at: 0x6000)
      for index in 0..<entries { memory.put(hostileBytes(24, &random), at: 0x8000 + index * 24) }
      for index in 0..<modules {
        let isSound = random.next() % 8 != 0
        let size = isSound ? 1 + random.next() % 0x100_0000 : random.hostile()
        memory.put(bytes(isSound ? random.next() % (1 << 40) : random.hostile()) + bytes(size), at: 0x7000 + index * 32)
      }
      memory.put(hostileBytes(0x80, &random), at: 0x6f00)
      guard let read = try? BootInformation(pvh: place, in: memory) else { continue }
      accepted += 1
      check(read, memory)
    }
    #expect(accepted > 10, "the test is only worth something if some are accepted")
  }
}

@Suite struct RemappingStructureFuzzTests {
  /// An address that can be, but for one in some.
  private func address(_ random: inout SplitMix64) -> UInt64 {
    random.next() % 32 == 0 ? number(&random) : (1 + random.next() % 0xff) << 20
  }

  /// Entries of type and length of 16 bits, with the type in the first byte alone for AMD.
  private func entries(_ types: [UInt16], wide: Bool, _ random: inout SplitMix64) -> [UInt8] {
    var content: [UInt8] = []
    let most: UInt64 = random.next() % 4 == 0 ? 40 : 5
    for _ in 0..<1 + random.next() % most {
      let type = types[Int(random.next() % UInt64(types.count))]
      let body = wide ? intelBody(type, &random) : amdBody(UInt8(truncatingIfNeeded: type), &random)
      content += (wide ? bytes(type) : [UInt8(truncatingIfNeeded: type), 0]) + bytes(UInt16(body.count + 4)) + body
    }
    return content
  }

  private func intelBody(_ type: UInt16, _ random: inout SplitMix64) -> [UInt8] {
    guard type <= 1 else { return hostileBytes(Int(random.next() % 20), &random) }
    let first = address(&random)
    let head = hostileBytes(4, &random)
    var body = head + (type == 0 ? bytes(first & ~0xfff) : bytes(first) + bytes(first &+ random.next() % 0x10_0000))
    for _ in 0..<random.next() % 5 {
      let hops = 1 + random.next() % (random.next() % 32 == 0 ? 10 : 3)
      body += [UInt8(random.next() % 7), UInt8(6 + 2 * hops), 0, 0] + hostileBytes(2, &random)
      let devices: UInt64 = random.next() % 32 == 0 ? 256 : 32
      for _ in 0..<hops { body += [UInt8(random.next() % devices), UInt8(random.next() % 8)] }
    }
    return body
  }

  private func amdBody(_ type: UInt8, _ random: inout SplitMix64) -> [UInt8] {
    if (0x20...0x22).contains(type) {
      let first = UInt16(random.next() % 0x1000)
      let device = bytes(first) + bytes(first &+ UInt16(random.next() % 0x10))
      return device + hostileBytes(8, &random) + bytes(address(&random)) + bytes(1 + address(&random))
    }
    guard type < 0x20 || type == 0x40 else { return hostileBytes(28, &random) }
    var body = hostileBytes(4, &random) + bytes(address(&random) & ~0x3fff) + bytes(UInt16(random.next() % 3))
    body += hostileBytes(type == 0x10 ? 6 : 22, &random)
    for _ in 0..<random.next() % 8 {
      let kind = [0, 1, 2, 66, 70, 72, 130, 3, 67, 71][Int(random.next() % 10)] as UInt8
      body += [kind] + hostileBytes(4 << Int(kind >> 6) - 1, &random)
      // A range that begins also ends, but for some.
      if [3, 67, 71].contains(kind), random.next() % 16 != 0 { body += [4, 0xff, 0xff, 0] }
    }
    return body
  }

  @Test func `no DMAR of sound form traps, and what is accepted can be`() {
    var random = SplitMix64(seed: 43)
    var accepted = 0
    for _ in 0..<fuzzRounds(400) {
      let body = hostileBytes(12, &random) + entries([0, 0, 0, 1, 1, 2, 9], wide: true, &random)
      let tables = system([("DMAR", body)])
      guard let list = try? tables.system(), let read = try? IntelRemapping(list, in: tables.memory) else { continue }
      accepted += 1
      #expect((1...IntelRemapping.unitCapacity).contains(read.unitCount))
      for index in 0..<read.unitCount {
        let unit = read.unit(index)
        #expect(fits(unit.registers.start.value, count: unit.registers.size, in: MemoryMap.end))
        #expect(unit.scopes.upperBound <= read.scopeCount)
      }
      for index in 0..<read.regionCount {
        let region = read.region(index)
        #expect(region.range.size > 0 && fits(region.range.start.value, count: region.range.size, in: MemoryMap.end))
      }
    }
    #expect(accepted > 10, "the test is only worth something if some are accepted")
  }

  @Test func `no IVRS of sound form traps, and what is accepted can be`() {
    var random = SplitMix64(seed: 44)
    var accepted = 0
    for _ in 0..<fuzzRounds(400) {
      let types = random.next() % 2 == 0 ? [0x10, 0x20, 0x21, 0x22] : [0x10, 0x11, 0x40, 0x22, 0x99] as [UInt16]
      let body = hostileBytes(12, &random) + entries(types, wide: false, &random)
      let tables = system([("IVRS", body)])
      guard let list = try? tables.system(), let read = try? AMDRemapping(list, in: tables.memory) else { continue }
      accepted += 1
      #expect((0...AMDRemapping.unitCapacity).contains(read.unitCount))
      var shown = 0
      for segment in 0..<3 as Range<UInt16> {
        let part = read.only(segment: segment)
        shown += part.unitCount
        for index in 0..<part.unitCount { #expect(part.unit(index).function.segment == segment) }
        for index in 0..<part.deviceCount { #expect(part.devices(index).unit < part.unitCount) }
        for index in 0..<part.controllerCount { #expect(part.controller(index).unit < part.unitCount) }
      }
      #expect(shown == read.unitCount)
      for index in 0..<read.deviceCount { #expect(read.devices(index).first <= read.devices(index).last) }
    }
    #expect(accepted > 10, "the test is only worth something if some are accepted")
  }
}
