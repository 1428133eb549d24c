// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The devices as the executor sees them. Unlike memory they cannot refuse: an address nobody answers reads as ones.
package protocol DeviceBus: ~Copyable {
  /// Reads `width` bytes (1, 2, 4 or 8) at a guest-physical address.
  mutating func read(address: UInt64, width: Int) -> UInt64
  /// Writes `width` bytes (1, 2, 4 or 8) at a guest-physical address.
  mutating func write(address: UInt64, width: Int, value: UInt64)
}

/// The guest's memory by linear address: what an instruction touches besides the device that it left for.
package protocol LinearMemory: ~Copyable {
  /// The guest-physical address of `linear` if that is a device's, or nobody's; `nil` if it is memory.
  mutating func device(at linear: UInt64, isWrite: Bool) throws(PageWalkError) -> UInt64?
  mutating func read(linear: UInt64, width: Width) throws(PageWalkError) -> UInt64
  mutating func write(linear: UInt64, width: Width, value: UInt64) throws(PageWalkError)
}

/// `LinearMemory` through the guest's own page tables.
package struct GuestLinearMemory: LinearMemory, Sendable {
  private let walk: PageWalk
  private let isUser: Bool

  /// - Parameter isUser: whether the guest runs at privilege level 3.
  package init(_ walk: PageWalk, isUser: Bool) {
    self.walk = walk
    self.isUser = isUser
  }

  package mutating func device(at linear: UInt64, isWrite: Bool) throws(PageWalkError) -> UInt64? {
    let place = try walk.translate(linear, for: PageAccess(isWrite: isWrite, isUser: isUser))
    return walk.memory.contains(place, count: 1) ? nil : place.value
  }

  package mutating func read(linear: UInt64, width: Width) throws(PageWalkError) -> UInt64 {
    var value: UInt64 = 0
    let places = try places(linear, width, isWrite: false)
    for index in 0..<width.rawValue {
      let byte: UInt8 = try walk.load(places.address(of: index))
      value |= UInt64(byte) << UInt64(index * 8)
    }
    return value
  }

  package mutating func write(linear: UInt64, width: Width, value: UInt64) throws(PageWalkError) {
    let places = try places(linear, width, isWrite: true)
    for index in 0..<width.rawValue {
      try walk.store(UInt8(truncatingIfNeeded: value >> UInt64(index * 8)), at: places.address(of: index))
    }
  }

  /// An operand's bytes, which may lie in two pages.
  private struct Places {
    let first: GuestAddress
    let second: GuestAddress
    /// Bytes in the first page.
    let split: Int

    func address(of index: Int) -> GuestAddress {
      index < split ? first + UInt64(index) : second + UInt64(index - split)
    }
  }

  /// Translates both ends before a byte is touched, so that a fault leaves nothing half done.
  private func places(_ linear: UInt64, _ width: Width, isWrite: Bool) throws(PageWalkError) -> Places {
    let access = PageAccess(isWrite: isWrite, isUser: isUser)
    let first = try walk.translate(linear, for: access)
    let split = Int(min(UInt64(width.rawValue), 4096 - linear & 4095))
    let isSplit = split < width.rawValue
    let second = isSplit ? try walk.translate(linear &+ UInt64(split), for: access) : first
    guard walk.memory.contains(first, count: UInt64(split)),
      !isSplit || walk.memory.contains(second, count: UInt64(width.rawValue - split))
    else { throw .outsideMemory }
    return Places(first: first, second: second, split: split)
  }
}
