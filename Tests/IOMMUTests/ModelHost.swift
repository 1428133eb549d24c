// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import IOMMU

/// The registers of a model, by their offset.
protocol ModelRegisters: AnyObject {
  var base: UInt64 { get }
  func read(_ offset: UInt64, width: Int) -> UInt64
  func write(_ value: UInt64, at offset: UInt64, width: Int)
}

/// Memory in two states: as the processor sees it, and as a device does that cannot see the processor's caches.
final class ModelHost: RemappingHost {
  static let base: UInt64 = 0x20_0000

  private(set) var cached: [UInt64]
  private(set) var flushed: [UInt64]
  private var used = 0
  /// Pages that may still be had.
  var pagesLeft = Int.max
  var registers: [any ModelRegisters] = []
  /// Grows with each look, so that whoever waits for what never comes gives up.
  private var clock: UInt64 = 0

  init(pages: Int = 1024) {
    cached = [UInt64](repeating: 0, count: pages * 512)
    flushed = cached
  }

  func allocatePages(_ count: Int) -> PhysicalAddress? {
    used = (used + count - 1) / count * count
    guard count <= pagesLeft, (used + count) * 512 <= cached.count else { return nil }
    pagesLeft -= pagesLeft == .max ? 0 : count
    let address = Self.base + UInt64(used) * 4096
    used += count
    // What a device sees of a new page is what was there before the zeros.
    for index in Self.index(address)..<Self.index(address) + count * 512 { flushed[index] = 0xdead_dead_dead_dead }
    return PhysicalAddress(address)
  }

  func read(_ address: PhysicalAddress) -> UInt64 { cached[Self.index(address.value)] }
  func write(_ value: UInt64, at address: PhysicalAddress) { cached[Self.index(address.value)] = value }

  func flush(_ address: PhysicalAddress, count: UInt64) {
    for place in stride(from: address.value & ~63, to: address.value + count, by: 8) {
      flushed[Self.index(place)] = cached[Self.index(place)]
    }
  }

  /// What a device reads.
  func deviceRead(_ address: UInt64, isCoherent: Bool) -> UInt64 {
    isCoherent ? cached[Self.index(address)] : flushed[Self.index(address)]
  }

  func deviceWrite(_ value: UInt64, at address: UInt64) {
    cached[Self.index(address)] = value
    flushed[Self.index(address)] = value
  }

  private static func index(_ address: UInt64) -> Int {
    precondition(address >= base && address % 8 == 0, "no such word: \(address)")
    return Int((address - base) / 8)
  }

  func readRegister(_ address: PhysicalAddress, width: Int) -> UInt64 {
    model(address.value)?.read(address.value & 0x3fff, width: width) ?? .max
  }

  func writeRegister(_ value: UInt64, at address: PhysicalAddress, width: Int) {
    model(address.value)?.write(value, at: address.value & 0x3fff, width: width)
  }

  private func model(_ address: UInt64) -> (any ModelRegisters)? {
    registers.first { $0.base == address & ~0x3fff }
  }

  var now: UInt64 {
    clock += 1_000_000
    return clock
  }
}

/// What a request came to.
enum Answer: Equatable {
  case memory(UInt64)
  case refused
}

/// Where an interrupt arrived.
struct Arrival: Equatable {
  var vector: UInt8
  var core: UInt32
  var isLevel = false
  var isNonMaskable = false
}

/// An address by its parts.
func at(_ bus: UInt8, _ device: UInt8, _ function: UInt8 = 0) -> FunctionAddress {
  FunctionAddress(bus: bus, device: device, function: function)
}

/// The text of a line.
func text(_ line: LogLine) -> String { String(decoding: (0..<line.count).map { line.bytes[$0] }, as: UTF8.self) }
