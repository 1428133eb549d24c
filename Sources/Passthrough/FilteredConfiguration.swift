// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import PCI

// The configuration space that a guest sees of its device. Each bit is one of these:
//
//   shown     what the function said when the VM started, or zero where the guest need not know
//   kept      the guest's own: base addresses, the switches of interrupts, the state of power
//   real      read from the function each time
//   passed    the guest's writes go to the function
//
// Capabilities stay where the function has them, since some drivers know their places; of the list, and of the bytes from
// 0x40 on, only those are there that this program knows: power management, vital product data, MSI, MSI-X, PCI Express.

/// A guest's view of a function's configuration space.
struct FilteredConfiguration {
  /// What is shown and kept.
  var space: PCIConfigurationSpace
  private var real: InlineArray<64, UInt32> = InlineArray(repeating: 0)
  private var passed: InlineArray<64, UInt32> = InlineArray(repeating: 0)
  /// Where the capabilities for messages are.
  private(set) var message: MessagePlace?
  private(set) var table: TablePlace?
  private let ranges: InlineArray<6, FunctionRange>

  /// Reads the function's space, whose ranges are known already.
  init<F: PhysicalFunction>(of function: F, ranges: InlineArray<6, FunctionRange>) {
    space = PCIConfigurationSpace(Self.identity(of: function))
    self.ranges = ranges
    for index in 0..<6 {
      switch ranges[index] {
      case .none: break
      case .io(let size): space.setRange(.io(size: size), at: index)
      case .memory(let size): space.setRange(.memory(size: size), at: index)
      case .memory64(let size): if index < 5 { space.setRange(.memory64(size: size), at: index) }
      }
    }
    if function.readConfiguration(0x3d, width: 1) != 0 { space.setInterruptPin(1) }
    passed[1] = PCICommand.busMaster.rawValue
    addCapabilities(of: function)
  }

  private static func identity<F: PhysicalFunction>(of function: F) -> PCIIdentity {
    let names = function.readConfiguration(0x00, width: 4)
    let kind = function.readConfiguration(0x08, width: 4)
    let system = function.readConfiguration(0x2c, width: 4)
    return PCIIdentity(
      vendor: UInt16(truncatingIfNeeded: names), device: UInt16(truncatingIfNeeded: names >> 16), classCode: kind >> 8,
      revision: UInt8(truncatingIfNeeded: kind), subsystemVendor: UInt16(truncatingIfNeeded: system),
      subsystem: UInt16(truncatingIfNeeded: system >> 16))
  }

  // MARK: - Making the view

  mutating func show(_ value: UInt32, at offset: Int) {
    space.set(value, at: UInt8(truncatingIfNeeded: offset), width: 4)
  }
  mutating func show16(_ value: UInt16, at offset: Int) {
    space.set(UInt32(value), at: UInt8(truncatingIfNeeded: offset), width: 2)
  }
  mutating func keep(_ mask: UInt32, at offset: Int) { space.allowWrites(mask, at: UInt8(truncatingIfNeeded: offset)) }
  /// The bits `mask` of the dword at `offset` are the function's, and those of `writable` can be written.
  mutating func pass(_ mask: UInt32, writable: UInt32, at offset: Int) {
    real[offset / 4 & 63] |= mask
    passed[offset / 4 & 63] |= writable
  }
  /// Whether memory range `range` has `count` bytes from `offset` on.
  func hasMemory(_ range: Int, _ offset: UInt64, count: UInt64) -> Bool {
    guard range < 6 else { return false }
    switch ranges[range] {
    case .memory, .memory64: return fits(offset, count: count, in: ranges[range].size)
    case .none, .io: return false
    }
  }

  mutating func note(_ place: MessagePlace) { message = place }
  mutating func note(_ place: TablePlace) { table = place }

  // MARK: - The guest's accesses

  /// Reads `width` bytes (1, 2 or 4) at `offset`; a read beyond its dword's end sees zeros there.
  func read<F: PhysicalFunction>(_ offset: UInt8, width: Int, of function: F) -> UInt32 {
    let index = Int(offset >> 2)
    let shift = UInt32(offset & 3) * 8
    let mask: UInt32 = width >= 4 ? .max : (1 << UInt32(width * 8)) &- 1
    let own = space.read(offset, width: width)
    let theirs = (real[index] >> shift) & mask
    guard theirs != 0 else { return own }
    let value = function.readConfiguration(index * 4, width: 4)
    return own & ~theirs | (value >> shift) & theirs
  }

  /// Writes `width` bytes (1, 2 or 4) at `offset`.
  mutating func write<F: PhysicalFunction>(_ value: UInt32, at offset: UInt8, width: Int, of function: F) {
    space.write(value, at: offset, width: width)
    let index = Int(offset >> 2)
    let shift = UInt32(offset & 3) * 8
    let mask: UInt32 = (width >= 4 ? .max : (1 << UInt32(width * 8)) &- 1) << shift
    let touched = passed[index] & mask
    guard touched != 0 else { return }
    let word = value << shift
    for half in 0..<2 {
      let part = UInt16(truncatingIfNeeded: touched >> UInt32(16 * half))
      guard part != 0 else { continue }
      // What of a register the guest did not write stays as the function has it; bits that a one clears are not kept.
      let register = UInt16(truncatingIfNeeded: passed[index] >> UInt32(16 * half))
      let old =
        register == part ? 0 : UInt16(truncatingIfNeeded: function.readConfiguration(index * 4 + 2 * half, width: 2))
      let new = UInt16(truncatingIfNeeded: word >> UInt32(16 * half))
      function.writeConfiguration(old & ~part | new & part, at: index * 4 + 2 * half)
    }
  }
}

/// Where the capability for one message is (PCI Local Bus 3.0, §6.8.1).
struct MessagePlace {
  var offset: UInt8
  /// Whether its address has 64 bits.
  var isWide: Bool
}

/// Where the capability for a table of messages is, and the table itself (PCI Local Bus 3.0, §6.8.2).
struct TablePlace {
  var offset: UInt8
  /// Vectors that the guest sees.
  var count: Int
  /// Vectors that the function has.
  var trueCount: Int
  var range: Int
  var start: UInt64
  var pendingRange: Int
  var pendingStart: UInt64
}
