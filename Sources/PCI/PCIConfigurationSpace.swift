// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What a function says it is (PCI Local Bus 3.0, §6.2.1).
package struct PCIIdentity: Equatable, Sendable {
  package var vendor: UInt16
  package var device: UInt16
  /// Class, subclass and programming interface, as in 0x020000 for an Ethernet card.
  package var classCode: UInt32
  package var revision: UInt8
  package var subsystemVendor: UInt16
  package var subsystem: UInt16

  package init(
    vendor: UInt16, device: UInt16, classCode: UInt32, revision: UInt8 = 0, subsystemVendor: UInt16 = 0,
    subsystem: UInt16 = 0
  ) {
    self.vendor = vendor
    self.device = device
    self.classCode = classCode
    self.revision = revision
    self.subsystemVendor = subsystemVendor
    self.subsystem = subsystem
  }
}

/// What a base address register decodes, with its size in bytes: a power of two, at least 4 (I/O) or 16 (memory).
package enum PCIRange: Equatable, Sendable {
  case io(size: UInt32)
  case memory(size: UInt32)
  /// Takes two registers.
  case memory64(size: UInt64)
}

/// A function's 256 bytes of configuration space with a header of type 0, and which of its bits the guest can change.
///
/// Invariant: a bit outside `writable` changes only by the methods of the function's owner. All of it is in dwords:
/// the data port moves 1, 2 or 4 bytes inside one dword.
package struct PCIConfigurationSpace: Sendable {
  private var words: InlineArray<64, UInt32> = InlineArray(repeating: 0)
  private var writable: InlineArray<64, UInt32> = InlineArray(repeating: 0)
  /// Where the next capability goes, in bytes.
  private var nextCapability = 0x40
  /// The byte that will name the next capability: the header's pointer, or the last capability's.
  private var lastLink = 0x34

  package init(_ identity: PCIIdentity) {
    words[0] = UInt32(identity.device) << 16 | UInt32(identity.vendor)
    words[2] = identity.classCode << 8 | UInt32(identity.revision)
    words[11] = UInt32(identity.subsystem) << 16 | UInt32(identity.subsystemVendor)
    writable[1] = PCICommand.writable.rawValue
    writable[3] = 0xff  // cache line size: kept for software's sake, without effect (§6.2.4)
    writable[15] = 0xff  // interrupt line: software's own note (§6.2.4)
  }

  /// The command register: what the guest allows the function to do.
  package var command: PCICommand { PCICommand(rawValue: words[1]) & .writable }

  /// Reads `width` bytes (1, 2 or 4) at `offset`; a read beyond its dword's end sees zeros there.
  package func read(_ offset: UInt8, width: Int) -> UInt32 {
    (words[Int(offset >> 2)] >> Self.shift(offset)) & Self.mask(width)
  }

  /// Writes `width` bytes (1, 2 or 4) at `offset`; only bits the guest may change do.
  package mutating func write(_ value: UInt32, at offset: UInt8, width: Int) {
    let index = Int(offset >> 2)
    let changing = (Self.mask(width) << Self.shift(offset)) & writable[index]
    words[index] = words[index] & ~changing | (value << Self.shift(offset)) & changing
  }

  /// Sets `width` bytes (1, 2 or 4) as the function's owner, writable or not.
  package mutating func set(_ value: UInt32, at offset: UInt8, width: Int) {
    let index = Int(offset >> 2)
    let changing = Self.mask(width) << Self.shift(offset)
    words[index] = words[index] & ~changing | (value << Self.shift(offset)) & changing
  }

  /// Lets the guest change the bits `mask` of the dword at `offset`.
  package mutating func allowWrites(_ mask: UInt32, at offset: UInt8) { writable[Int(offset >> 2)] |= mask }

  private static func shift(_ offset: UInt8) -> UInt32 { UInt32(offset & 3) * 8 }
  private static func mask(_ width: Int) -> UInt32 { width >= 4 ? .max : (1 << UInt32(width * 8)) &- 1 }
}

// MARK: - Base addresses

extension PCIConfigurationSpace {
  /// Makes base address register `index` decode `range`.
  ///
  /// Software writes all ones and reads back which bits stuck; the lowest of them is the size (§6.2.5.1). That falls
  /// out of a write mask without the bits below the size.
  /// - Precondition: `index` is below 6 (5 for 64 bits); the size is as `PCIRange` says.
  package mutating func setRange(_ range: PCIRange, at index: Int) {
    precondition(index >= 0 && index < 6)
    let register = 4 + index
    switch range {
    case .io(let size):
      precondition(size.nonzeroBitCount == 1 && size >= 4)
      words[register] = 1
      writable[register] = ~(size - 1)
    case .memory(let size):
      precondition(size.nonzeroBitCount == 1 && size >= 16)
      words[register] = 0
      writable[register] = ~(size - 1)
    case .memory64(let size):
      precondition(index < 5 && size.nonzeroBitCount == 1 && size >= 16)
      words[register] = 0b100
      writable[register] = ~UInt32(truncatingIfNeeded: size - 1)
      writable[register + 1] = ~UInt32(truncatingIfNeeded: (size - 1) >> 32)
    }
  }

  /// Puts base address register `index` at `address` as firmware does; bits that the size leaves out are dropped.
  package mutating func setAddress(_ address: UInt64, ofRange index: Int) {
    guard index >= 0, index < 6 else { return }
    words[4 + index] = kind(ofRange: index) | UInt32(truncatingIfNeeded: address) & writable[4 + index]
    guard isWide(index) else { return }
    words[5 + index] = UInt32(truncatingIfNeeded: address >> 32) & writable[5 + index]
  }

  /// Where base address register `index` lies, whether or not the guest lets the function decode it; `nil` if the
  /// function has no such register.
  package func base(ofRange index: Int) -> UInt64? {
    guard index >= 0, index < 6, writable[4 + index] != 0 else { return nil }
    let high = isWide(index) ? words[5 + index] : 0
    return UInt64(high) << 32 | UInt64(words[4 + index] & writable[4 + index])
  }

  /// Where the guest put base address register `index`; `nil` while the guest has not let the function decode it.
  package func address(ofRange index: Int) -> UInt64? {
    guard let base = base(ofRange: index) else { return nil }
    return command.contains(kind(ofRange: index) & 1 != 0 ? .ioSpace : .memorySpace) ? base : nil
  }

  /// The bits of a base address register that say what it decodes.
  private func kind(ofRange index: Int) -> UInt32 { words[4 + index] & ~writable[4 + index] }
  private func isWide(_ index: Int) -> Bool { index < 5 && kind(ofRange: index) == 0b100 }

  /// Says which interrupt pin the function uses: 1 is INTA.
  package mutating func setInterruptPin(_ pin: UInt8) { set(UInt32(pin), at: 0x3d, width: 1) }

  /// Says whether the function wants an interrupt at its pin: status, bit 3 (§6.2.3), whether or not INTx is disabled.
  package mutating func setInterruptStatus(_ isPending: Bool) {
    let bit: UInt32 = 1 << 19
    words[1] = isPending ? words[1] | bit : words[1] & ~bit
  }
}

// MARK: - Capabilities

extension PCIConfigurationSpace {
  /// Adds a capability of `count` bytes, its two-byte header included, to the end of the list (§6.7).
  ///
  /// The owner fills the body with `set` and `allowWrites`.
  /// - Returns: Its offset; `nil` if the space is full.
  package mutating func addCapability(_ identifier: UInt8, count: Int) -> UInt8? {
    guard count >= 2, count <= 256 - nextCapability else { return nil }
    let offset = UInt8(nextCapability)
    nextCapability = (nextCapability + count + 3) & ~3
    link(identifier, at: offset)
    return offset
  }

  /// Adds a capability where a function of the machine has it, to the end of the list; not beside `addCapability`.
  /// - Precondition: `offset` is a multiple of four, at least 0x40.
  package mutating func placeCapability(_ identifier: UInt8, at offset: UInt8) {
    precondition(offset >= 0x40 && offset & 3 == 0)
    link(identifier, at: offset)
  }

  private mutating func link(_ identifier: UInt8, at offset: UInt8) {
    set(UInt32(identifier), at: offset, width: 2)
    set(UInt32(offset), at: UInt8(lastLink), width: 1)
    words[1] |= 1 << 20  // status, bit 4: there is a list
    lastLink = Int(offset) + 1
  }
}

/// The command register's bits (PCI Local Bus 3.0, §6.2.2).
package struct PCICommand: Flags {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static var ioSpace: Self { .bit(0) }
  package static var memorySpace: Self { .bit(1) }
  package static var busMaster: Self { .bit(2) }
  /// INTx is not to be raised.
  package static var interruptDisable: Self { .bit(10) }
  static var writable: Self { .ioSpace | .memorySpace | .busMaster | .interruptDisable }
}
