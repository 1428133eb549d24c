// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Firmware

// The tables of IOMMUs, as firmware writes them and as it should not.

private func dmar(_ entries: [[UInt8]], width: UInt8 = 45, flags: UInt8 = 1) -> [UInt8] {
  [width, flags] + [UInt8](repeating: 0, count: 10)
    + entries.flatMap { [$0[0], 0] + bytes(UInt16($0.count + 3)) + $0.dropFirst() }
}
private func unit(
  _ base: UInt64, flags: UInt8 = 0, segment: UInt16 = 0, size: UInt8 = 0, _ scopes: [[UInt8]] = []
) -> [UInt8] {
  [0, flags, size] + bytes(segment) + bytes(base) + scopes.flatMap { $0 }
}
private func region(_ first: UInt64, _ last: UInt64, _ scopes: [[UInt8]]) -> [UInt8] {
  [1, 0, 0, 0, 0] + bytes(first) + bytes(last) + scopes.flatMap { $0 }
}
private func scope(_ type: UInt8, _ bus: UInt8, _ path: [UInt8], id: UInt8 = 0) -> [UInt8] {
  [type, UInt8(6 + path.count), 0, 0, id, bus] + path
}

private func intel(_ body: [UInt8]) throws(ACPIError) -> IntelRemapping {
  let tables = system([("DMAR", body)])
  return try IntelRemapping(tables.system(), in: tables.memory)
}

private func ivrs(_ blocks: [[UInt8]]) -> [UInt8] {
  [UInt8](repeating: 0, count: 12)
    + blocks.flatMap { Array($0.prefix(2)) + bytes(UInt16($0.count + 2)) + $0.dropFirst(2) }
}
private func hardware(
  _ type: UInt8, _ base: UInt64, device: UInt16 = 2, segment: UInt16 = 0, _ entries: [[UInt8]]
) -> [UInt8] {
  [type, 0] + bytes(device) + bytes(UInt16(0x40)) + bytes(base) + bytes(segment) + [0, 0, 0, 0, 0, 0]
    + [UInt8](repeating: 0, count: type == 0x10 ? 0 : 16) + entries.flatMap { $0 }
}
private func memory(_ type: UInt8, _ first: UInt16, _ last: UInt16, _ start: UInt64, _ size: UInt64) -> [UInt8] {
  [type, 0] + bytes(first) + bytes(last) + [UInt8](repeating: 0, count: 8) + bytes(start) + bytes(size)
}

private func amd(_ body: [UInt8]) throws(ACPIError) -> AMDRemapping {
  let tables = system([("IVRS", body)])
  return try AMDRemapping(tables.system(), in: tables.memory)
}

@Suite struct DMARTests {
  private let sound = dmar([
    unit(0xd37f_c000, size: 1, [scope(1, 0x16, [0, 0]), scope(2, 0, [0x1c, 0, 2, 1]), scope(9, 0, [0, 0])]),
    [2, 0, 0, 0, 0],
    unit(0xc5ff_c000, flags: 1, [scope(3, 0xf0, [31, 7], id: 8), scope(4, 0, [31, 0])]),
    region(0x6f38_5000, 0x6f39_4fff, [scope(1, 0, [0x14, 0])]),
  ])

  @Test func `units, what they are for, and reserved memory are read`() throws {
    let read = try intel(sound)

    #expect(read.addressWidth == 46)
    #expect(read.canRemapInterrupts)
    #expect(!read.forbidsX2APIC)
    #expect(read.unitCount == 2)
    #expect(read.unit(0).registers == PhysicalRange(start: PhysicalAddress(0xd37f_c000), size: 8192))
    #expect(!read.unit(0).hasAllOthers)
    #expect(read.unit(0).scopes == 0..<2)
    #expect(read.unit(1).hasAllOthers)
    #expect(read.unit(1).scopes == 2..<4)
    #expect(read.scope(2).kind == .ioapic)
    #expect(read.scope(2).identifier == 8)
    #expect(read.regionCount == 1)
    #expect(read.region(0).range == PhysicalRange(start: PhysicalAddress(0x6f38_5000), size: 0x1_0000))
    #expect(read.region(0).scopes == 4..<5)
  }

  @Test func `the way to a device leads over the bridges' buses`() throws {
    let read = try intel(sound)
    let bridge = FunctionAddress(bus: 0, device: 0x1c, function: 0)
    #expect(
      read.scope(1).resolve { $0 == bridge ? 7 : nil } == FunctionAddress(bus: 7, device: 2, function: 1))
    #expect(read.scope(1).resolve { _ in nil } == nil)
    #expect(read.scope(2).resolve { _ in nil } == FunctionAddress(bus: 0xf0, device: 31, function: 7))
  }

  @Test func `a table that breaks the rules is refused`() {
    let one = unit(0xfed9_0000, flags: 1)
    #expect(throws: ACPIError(.dmar, .badLength)) { try intel([0, 0, 0]) }
    #expect(throws: ACPIError(.dmar, .badEntry)) { try intel(dmar([])) }
    #expect(throws: ACPIError(.dmar, .badEntry)) { try intel(dmar([one]) + [0, 0, 3, 0]) }
    #expect(throws: ACPIError(.dmar, .badEntry)) { try intel(dmar([one]) + [0, 0, 200, 0]) }
    #expect(throws: ACPIError(.dmar, .badEntry)) { try intel(dmar([one]) + [0]) }
    #expect(throws: ACPIError(.dmar, .badEntry)) { try intel(dmar([[0, 0, 0]])) }
    #expect(throws: ACPIError(.dmar, .badAddress)) { try intel(dmar([unit(0)])) }
    #expect(throws: ACPIError(.dmar, .badAddress)) { try intel(dmar([unit(0xfed9_0800)])) }
    #expect(throws: ACPIError(.dmar, .badAddress)) { try intel(dmar([unit(1 << 52)])) }
    #expect(throws: ACPIError(.dmar, .badAddress)) { try intel(dmar([one, region(0x2000, 0x1fff, [])])) }
    #expect(throws: ACPIError(.dmar, .badAddress)) { try intel(dmar([one, region(0, .max, [])])) }
    #expect(throws: ACPIError(.dmar, .tooManyEntries)) { try intel(dmar((0..<17).map { _ in one })) }
    #expect(throws: ACPIError(.dmar, .tooManyEntries)) {
      try intel(dmar([one] + (0..<17).map { _ in region(0x1000, 0x1fff, []) }))
    }
    let none = system([])
    #expect(throws: ACPIError(.dmar, .missing)) { try IntelRemapping(none.system(), in: none.memory) }
  }

  @Test func `a scope that breaks the rules is refused`() {
    for bad in [[1, 0], [1, 5, 0, 0, 0], scope(1, 0, []), scope(1, 0, [0, 0, 1]), scope(1, 0, [32, 0])] as [[UInt8]] {
      #expect(throws: ACPIError(.dmar, .badEntry)) { try intel(dmar([unit(0xfed9_0000, [bad])])) }
    }
    #expect(throws: ACPIError(.dmar, .badEntry)) { try intel(dmar([unit(0xfed9_0000, [[1, 200, 0, 0, 0, 0, 0, 0]])])) }
    let long = scope(1, 0, [UInt8](repeating: 0, count: 18))
    #expect(throws: ACPIError(.dmar, .tooManyEntries)) { try intel(dmar([unit(0xfed9_0000, [long])])) }
    let many = (0..<129).map { _ in scope(1, 0, [1, 0]) }
    #expect(throws: ACPIError(.dmar, .tooManyEntries)) { try intel(dmar([unit(0xfed9_0000, many)])) }
  }
}

@Suite struct IVRSTests {
  private let entries: [[UInt8]] = [
    [2, 8, 0, 0], [3, 0, 1, 0], [4, 0xff, 1, 0], [0, 0, 0, 0], [67, 0, 3, 0, 0, 0xf8, 2, 0], [4, 0x0f, 3, 0],
    [72, 0, 0, 0xd7, 9, 0xa0, 0, 1], [72, 0, 0, 0, 0, 0xa0, 0, 2], [72, 0, 0, 0, 0, 0xa0, 0, 7],
    [240, 1, 0, 0] + [UInt8](repeating: 0x20, count: 17) + [2, 1, 2],
  ]

  @Test func `units, their devices, interrupt controllers and reserved memory are read`() throws {
    let read = try amd(
      ivrs([
        hardware(0x40, 0xfeb8_0000, entries), memory(0x21, 0x13, 0, 0x1000, 0x2000),
        memory(0x22, 0x10, 0x17, 0x8000, 0x1000), memory(0x20, 0, 0, 0x9000, 0x1000),
      ]))

    #expect(read.unitCount == 1)
    #expect(read.unit(0).registers == PhysicalAddress(0xfeb8_0000))
    #expect(read.unit(0).function == FunctionAddress(bus: 0, device: 0, function: 2))
    #expect(read.unit(0).capability == 0x40)
    let ranges = (0..<read.deviceCount).map { read.devices($0) }
    #expect(ranges.map(\.first) == [8, 0x100, 0x300])
    #expect(ranges.map(\.last) == [8, 0x1ff, 0x30f])
    #expect(ranges.map(\.alias) == [nil, nil, 0x2f8])
    #expect(read.controllerCount == 2)
    #expect(read.controller(0).isIOAPIC)
    #expect(read.controller(0).identifier == 9)
    #expect(read.controller(0).device == 0xa0)
    #expect(read.controller(0).settings == 0xd7)
    #expect(!read.controller(1).isIOAPIC)
    #expect((0..<3).map { read.region($0).first } == [0x13, 0x10, 0])
    #expect((0..<3).map { read.region($0).last } == [0x13, 0x17, 0xffff])
  }

  @Test func `what is said of one segment can be had alone`() throws {
    let read = try amd(
      ivrs([
        hardware(0x11, 0xfeb0_0000, segment: 1, [[1, 0, 0, 0]]), hardware(0x11, 0xfeb8_0000, entries),
        memory(0x21, 0x13, 0, 0x1000, 0x2000),
      ]))
    let first = read.only(segment: 0)
    #expect(first.unitCount == 1)
    #expect(first.unit(0).registers == PhysicalAddress(0xfeb8_0000))
    #expect((0..<first.deviceCount).map { first.devices($0).first } == [8, 0x100, 0x300])
    #expect((0..<first.deviceCount).allSatisfy { first.devices($0).unit == 0 })
    #expect(first.controllerCount == 2)
    #expect(first.regionCount == 1)
    let second = read.only(segment: 1)
    #expect(second.deviceCount == 1)
    #expect(second.devices(0).last == .max)
    #expect(second.regionCount == 0)
    #expect(read.only(segment: 2).unitCount == 0)
  }

  @Test func `of several blocks for one unit the newest type counts`() throws {
    let read = try amd(
      ivrs([
        hardware(0x10, 0xfeb8_0000, [[2, 8, 0, 0]]), hardware(0x11, 0xfeb8_0000, [[1, 0, 0, 0]]),
        hardware(0x10, 0xfeb0_0000, [[2, 9, 0, 0]]), hardware(0x11, 0xfeb0_0000, [[2, 10, 0, 0]]),
      ]))
    #expect(read.unitCount == 2)
    #expect((0..<read.deviceCount).map { read.devices($0).last } == [0xffff, 10])
    #expect((0..<read.deviceCount).map { read.devices($0).unit } == [0, 1])
    #expect(try amd(ivrs([hardware(0x10, 0xfed8_0000, [[1, 0, 0, 0]])])).devices(0).last == 0xffff)
  }

  @Test func `a table that breaks the rules is refused`() {
    #expect(throws: ACPIError(.ivrs, .badLength)) { try amd([0, 0, 0]) }
    #expect(throws: ACPIError(.ivrs, .badEntry)) { try amd(ivrs([])) }
    #expect(throws: ACPIError(.ivrs, .badEntry)) { try amd(ivrs([]) + [0x10, 0, 3, 0]) }
    #expect(throws: ACPIError(.ivrs, .badEntry)) { try amd(ivrs([]) + [0x10, 0, 200, 0]) }
    #expect(throws: ACPIError(.ivrs, .badEntry)) { try amd(ivrs([[0x10, 0]])) }
    #expect(throws: ACPIError(.ivrs, .badAddress)) { try amd(ivrs([hardware(0x10, 0, [])])) }
    #expect(throws: ACPIError(.ivrs, .badAddress)) { try amd(ivrs([hardware(0x10, 0xfeb0_1000, [])])) }
    #expect(throws: ACPIError(.ivrs, .tooManyEntries)) {
      try amd(ivrs((0..<17).map { _ in hardware(0x10, 0xfeb0_0000, []) }))
    }
    let good = hardware(0x10, 0xfeb0_0000, [])
    #expect(throws: ACPIError(.ivrs, .badAddress)) { try amd(ivrs([good, memory(0x21, 0, 0, .max, 2)])) }
    #expect(throws: ACPIError(.ivrs, .badAddress)) { try amd(ivrs([good, memory(0x21, 0, 0, 0, 0)])) }
    #expect(throws: ACPIError(.ivrs, .badEntry)) { try amd(ivrs([good, memory(0x22, 2, 1, 0, 0x1000)])) }
    #expect(throws: ACPIError(.ivrs, .badEntry)) { try amd(ivrs([good, [0x21, 0, 0, 0]])) }
  }

  @Test(
    arguments: [
      [[4, 8, 0, 0]], [[3, 8, 0, 0]], [[3, 8, 0, 0], [4, 7, 0, 0]], [[3, 8, 0, 0], [3, 9, 0, 0]], [[2, 8, 0]],
      [[66, 8, 0, 0]], [[240, 0, 0, 0]],
    ] as [[[UInt8]]])
  func `entries that break the rules are refused`(entries: [[UInt8]]) {
    #expect(throws: ACPIError(.ivrs, .badEntry)) { try amd(ivrs([hardware(0x11, 0xfeb0_0000, entries)])) }
  }
}

/// Corrupt tables, whose sums are right.
@Suite struct RemappingFuzzTests {
  @Test func `no table of IOMMUs traps`() {
    var random = SplitMix64(seed: 11)
    let path = scope(1, 0, [1, 2, 3, 4])
    let intelBody = dmar([unit(0xfed9_0000, [path, path]), region(0x1000, 0x1fff, [path])])
    let amdBody = ivrs([
      hardware(0x11, 0xfeb0_0000, [[3, 0, 1, 0], [4, 0xff, 1, 0], [72, 0, 0, 0, 9, 0xa0, 0, 1]]),
      memory(0x22, 1, 2, 0x1000, 0x1000),
    ])
    for _ in 0..<fuzzRounds(400) {
      var (left, right) = (intelBody, amdBody)
      random.corrupt(&left)
      random.corrupt(&right)
      if let read = try? intel(left) {
        for index in 0..<read.scopeCount {
          _ = read.scope(index).resolve { _ in UInt8(truncatingIfNeeded: random.next()) }
        }
      }
      _ = try? amd(right)
    }
  }
}
