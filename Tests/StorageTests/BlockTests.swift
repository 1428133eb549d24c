// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Storage

/// virtio-blk: requests and the configuration space (virtio 1.2, §5.2).
struct BlockTests {
  static func rules(
    isReadOnly: Bool = false, _ size: SectorSize = .bytes512, canClear: Bool = true
  ) throws -> BlockRules {
    var limits = BlockLimits(segments: 128, segmentBytes: 65536, queues: 4)
    if canClear {
      limits.discardUnits = 1000
      limits.discardSegments = 4
      limits.writeZeroesUnits = 2000
      limits.writeZeroesSegments = 100
      limits.writeZeroesMayForget = true
    }
    return BlockRules(
      disk: try VirtualDiskTests.disk(2048, 1_000_000, size, isReadOnly: isReadOnly), limits: limits)
  }

  static func header(_ type: UInt32, _ sector: UInt64 = 0) -> [UInt8] { bytes(type) + bytes(UInt32(0)) + bytes(sector) }

  static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<(T.bitWidth / 8)).map { UInt8(truncatingIfNeeded: value >> T(8 * $0)) }
  }

  private func check(
    _ rules: BlockRules, _ header: [UInt8], out outgoing: UInt64 = 0, in incoming: UInt64 = 0
  ) throws(BlockRefusal) -> BlockRequest {
    try rules.check(header: header.span.bytes, outgoing: outgoing, incoming: incoming)
  }

  /// The refusal of a request, after a look at what the guest is told.
  private func refusal(
    _ rules: BlockRules, _ header: [UInt8], out outgoing: UInt64 = 0, in incoming: UInt64 = 0,
    _ status: BlockStatus = .failed
  ) -> BlockRefusal? {
    do throws(BlockRefusal) {
      _ = try check(rules, header, out: outgoing, in: incoming)
      return nil
    } catch {
      #expect(error.status == status)
      return error
    }
  }

  // MARK: - Requests

  @Test func `good requests become what they are`() throws {
    let rules = try Self.rules()
    let some = try rules.disk.range(unit: 100, bytes: 8192)
    #expect(try check(rules, Self.header(0, 100), in: 8192) == .read(some))
    #expect(try check(rules, Self.header(1, 2050), out: 512) == .write(DiskRange(first: 2050, count: 1)))
    #expect(try check(rules, Self.header(4)) == .flush)
    #expect(try check(rules, Self.header(8), in: 20) == .identify)
    #expect(try check(rules, Self.header(11), out: 64) == .discard(segmentBytes: 64))
    #expect(try check(rules, Self.header(13), out: 256) == .writeZeroes(segmentBytes: 256))
  }

  @Test func `an unknown type is not supported`() throws {
    let rules = try Self.rules()
    for type in [2, 3, 5, 10, 14, 0x8000_0000, .max] as [UInt32] {
      #expect(refusal(rules, Self.header(type), .unsupported) == .type(type))
    }
    let without = try Self.rules(canClear: false)
    #expect(refusal(without, Self.header(11), out: 16, .unsupported) == .type(11))
    #expect(refusal(without, Self.header(13), out: 16, .unsupported) == .type(13))
  }

  @Test func `a header has 16 bytes`() throws {
    for count in [0, 15, 17] {
      #expect(refusal(try Self.rules(), [UInt8](repeating: 0, count: count), in: 512) == .header)
    }
  }

  @Test func `data of a wrong length or direction is refused`() throws {
    let rules = try Self.rules()
    #expect(refusal(rules, Self.header(0, 0), in: 0) == .range(.empty))
    #expect(refusal(rules, Self.header(0, 0), in: 100) == .range(.unaligned))
    #expect(refusal(rules, Self.header(0, 0), out: 512) == .length)
    #expect(refusal(rules, Self.header(0, 0), out: 1, in: 512) == .length)
    #expect(refusal(rules, Self.header(1, 2048), in: 512) == .length)
    #expect(refusal(rules, Self.header(1, 2048), out: 513) == .range(.unaligned))
    #expect(refusal(rules, Self.header(8), in: 19) == .length)
    #expect(refusal(rules, Self.header(8), in: 512) == .length)
    #expect(refusal(rules, Self.header(11), out: 15) == .length)
    #expect(refusal(rules, Self.header(11)) == .length)
    #expect(refusal(rules, Self.header(11), out: 16, in: 1) == .length)
    #expect(refusal(rules, Self.header(0, 0), in: 128 * 65536 + 512) == .tooLong)
    #expect(refusal(rules, Self.header(11), out: 80) == .tooLong)
    #expect(refusal(rules, Self.header(13), out: 272) == .tooLong)
  }

  @Test func `sectors beyond the end are refused, wherever they begin`() throws {
    let rules = try Self.rules()
    let end = rules.disk.capacity
    #expect(refusal(rules, Self.header(0, end - 7), in: 4096) == .range(.beyondEnd))
    #expect(refusal(rules, Self.header(1, end - 7), out: 4096) == .range(.beyondEnd))
    #expect(refusal(rules, Self.header(1, .max), out: 4096) == .range(.beyondEnd))
    #expect(refusal(rules, Self.header(1, .max - 7), out: 4096) == .range(.beyondEnd))
    #expect(refusal(rules, Self.header(0, end - 8), in: 4096) == nil)
  }

  @Test func `the made-up table can be read and not written`() throws {
    let rules = try Self.rules()
    #expect(refusal(rules, Self.header(0, 0), in: 512) == nil)
    #expect(refusal(rules, Self.header(1, 0), out: 512) == .range(.madeUp))
    #expect(refusal(rules, Self.header(1, 2047), out: 1024) == .range(.madeUp))
    // The MiB behind the partition, where tools write the backup of a GPT.
    let end = rules.disk.capacity - 2048
    #expect(refusal(rules, Self.header(1, end - 8), out: 4096) == nil)
    #expect(refusal(rules, Self.header(1, end - 7), out: 4096) == .range(.madeUp))
    #expect(refusal(rules, Self.header(1, end + 2047), out: 512) == .range(.madeUp))
  }

  @Test func `a disk that is read-only is`() throws {
    let rules = try Self.rules(isReadOnly: true)
    #expect(refusal(rules, Self.header(0, 2048), in: 512) == nil)
    #expect(refusal(rules, Self.header(4)) == nil)
    #expect(refusal(rules, Self.header(1, 2048), out: 512) == .readOnly)
    #expect(refusal(rules, Self.header(11), out: 16) == .readOnly)
    #expect(refusal(rules, Self.header(13), out: 16) == .readOnly)
  }

  // MARK: - Segments

  private func segment(_ unit: UInt64, _ units: UInt32, flags: UInt32 = 0) -> [UInt8] {
    Self.bytes(unit) + Self.bytes(units) + Self.bytes(flags)
  }

  private func refusal(
    _ rules: BlockRules, _ purpose: ClearPurpose, _ bytes: [UInt8], _ status: BlockStatus = .failed
  ) -> BlockRefusal? {
    do throws(BlockRefusal) {
      _ = try ClearList(bytes.span.bytes, purpose, rules)
      return nil
    } catch {
      #expect(error.status == status)
      return error
    }
  }

  @Test func `segments are ranges of real sectors`() throws {
    let rules = try Self.rules()
    let list = try ClearList(
      (segment(2048, 8) + segment(3048, 2000, flags: 1)).span.bytes, .writeZeroes, rules)
    #expect(list.count == 2)
    #expect(list[0] == ClearSegment(sectors: DiskRange(first: 2048, count: 8), mayForget: false))
    #expect(list[1] == ClearSegment(sectors: DiskRange(first: 3048, count: 2000), mayForget: true))

    let large = try Self.rules(.bytes4096)
    let prefix = large.disk.prefix
    let one = try ClearList(segment(8 * prefix, 16).span.bytes, .discard, large)
    #expect(one[0].sectors == DiskRange(first: 2048, count: 2))
  }

  @Test func `one bad segment spoils the request`() throws {
    let rules = try Self.rules()
    let good = segment(2048, 8)
    #expect(refusal(rules, .discard, good) == nil)
    #expect(refusal(rules, .discard, good + segment(0, 8)) == .range(.madeUp))
    #expect(refusal(rules, .discard, good + segment(2040, 16)) == .range(.madeUp))
    #expect(refusal(rules, .discard, good + segment(rules.disk.capacity - 8, 9)) == .range(.beyondEnd))
    #expect(refusal(rules, .discard, good + segment(.max, 1)) == .range(.beyondEnd))
    #expect(refusal(rules, .discard, good + segment(2048, 0)) == .range(.empty))
    #expect(refusal(rules, .discard, good + segment(2048, 1001)) == .tooLong)
    #expect(refusal(rules, .writeZeroes, good + segment(2048, .max)) == .tooLong)
    #expect(refusal(rules, .discard, good + [0]) == .length)
    #expect(refusal(rules, .discard, (0..<17).flatMap { _ in good }) == .tooLong)
    #expect(refusal(try Self.rules(.bytes4096), .discard, segment(2049, 8)) == .range(.unaligned))
    #expect(refusal(try Self.rules(.bytes4096), .discard, segment(2048, 7)) == .range(.unaligned))
  }

  @Test func `flags that mean nothing are not supported`() throws {
    let rules = try Self.rules()
    #expect(refusal(rules, .discard, segment(2048, 8, flags: 1), .unsupported) == .flags)
    #expect(refusal(rules, .discard, segment(2048, 8, flags: 2), .unsupported) == .flags)
    #expect(refusal(rules, .writeZeroes, segment(2048, 8, flags: 3), .unsupported) == .flags)
    #expect(refusal(rules, .writeZeroes, segment(2048, 8, flags: 1)) == nil)
  }

  // MARK: - Configuration

  @Test func `the configuration space is laid out as the specification says`() throws {
    var topology = BlockTopology()
    topology.physicalExponent = 3
    topology.alignmentOffset = 1
    topology.minimumTransfer = 8
    topology.optimalTransfer = 2048
    let rules = try Self.rules()
    let description = BlockDescription(rules, topology: topology)
    let bytes = withUnsafeBytes(of: description.configuration) { Array($0) }

    #expect(MemoryLayout<BlockConfiguration>.size == 60)
    #expect(MemoryLayout<BlockDescription>.size <= DeviceLink.descriptionSize)
    let expected: [[UInt8]] = [
      Self.bytes(rules.disk.capacity), Self.bytes(UInt32(65536)), Self.bytes(UInt32(128)), Self.bytes(UInt32(0)),
      Self.bytes(UInt32(512)), [3, 1], Self.bytes(UInt16(8)), Self.bytes(UInt32(2048)), [1, 0], Self.bytes(UInt16(4)),
      Self.bytes(UInt32(1000)), Self.bytes(UInt32(4)), Self.bytes(UInt32(8)), Self.bytes(UInt32(2000)),
      Self.bytes(UInt32(16)), [1, 0, 0, 0],
    ]
    #expect(bytes == expected.flatMap { $0 })
    #expect((0..<64).filter { description.features >> UInt64($0) & 1 == 1 } == [1, 2, 6, 9, 10, 11, 12, 13, 14])
  }

  @Test func `what cannot be done is not offered`() throws {
    let readOnly = BlockDescription(try Self.rules(isReadOnly: true))
    #expect(BlockFeatures(rawValue: readOnly.features).contains(.readOnly))
    #expect(!BlockFeatures(rawValue: readOnly.features).intersects(.discard | .writeZeroes))
    #expect(readOnly.configuration.discardUnits == 0 && readOnly.configuration.writeZeroesUnits == 0)
    let without = BlockDescription(try Self.rules(canClear: false))
    #expect(!BlockFeatures(rawValue: without.features).intersects(.discard | .writeZeroes | .readOnly))
  }
}
