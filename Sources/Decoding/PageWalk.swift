// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// Why a linear address has no place in the guest's memory.
package enum PageWalkError: Error, Equatable {
  /// The entry of this level (1 is the page table) is not present.
  case notPresent(level: Int)
  /// The page is there, the access is not allowed.
  case notAllowed
  /// An entry of this level has a bit set that must be zero.
  case reservedBit(level: Int)
  /// A table, or the page itself, is not in the guest's memory.
  case outsideMemory
  /// Bits 48-63 of the address do not repeat bit 47.
  case notCanonical
  /// The guest uses five levels, which its CPUID does not offer.
  case fiveLevels
}

/// What the guest wants with a linear address.
package struct PageAccess: Equatable, Sendable {
  package var isWrite: Bool
  package var isUser: Bool
  package var isFetch: Bool

  package init(isWrite: Bool = false, isUser: Bool = false, isFetch: Bool = false) {
    self.isWrite = isWrite
    self.isUser = isUser
    self.isFetch = isFetch
  }

  /// The error code of the page fault that `error` is to the guest (AMD APM volume 2, §8.4.2).
  package func faultCode(_ error: PageWalkError) -> UInt32 {
    var code: UInt32 = isWrite ? 2 : 0
    if isUser { code |= 4 }
    if isFetch { code |= 16 }
    switch error {
    case .notPresent, .outsideMemory, .notCanonical, .fiveLevels: return code
    case .notAllowed: return code | 1
    case .reservedBit: return code | 9
    }
  }
}

/// The control registers that say how the guest translates addresses.
package struct PagingRegisters: Equatable, Sendable {
  package var cr0: UInt64
  package var cr3: UInt64
  package var cr4: UInt64
  package var efer: UInt64

  package init(cr0: UInt64, cr3: UInt64, cr4: UInt64, efer: UInt64) {
    self.cr0 = cr0
    self.cr3 = cr3
    self.cr4 = cr4
    self.efer = efer
  }

  var isPagingOn: Bool { cr0 & 1 << 31 != 0 }
  var isWriteProtectOn: Bool { cr0 & 1 << 16 != 0 }
  var hasLargePages: Bool { cr4 & 1 << 4 != 0 }
  var isPAE: Bool { cr4 & 1 << 5 != 0 }
  var hasFiveLevels: Bool { cr4 & 1 << 12 != 0 }
  var isLongMode: Bool { efer & 1 << 10 != 0 }
  var hasNoExecute: Bool { efer & 1 << 11 != 0 }
}

/// The guest's own translation, from linear to guest-physical addresses (AMD APM volume 2, §5.2-5.3).
///
/// The tables are the guest's and may say anything: a walk reads at most four entries. It sets accessed and dirty bits
/// as the processor does; it knows neither SMEP, SMAP nor protection keys.
package struct PageWalk: Sendable {
  package let registers: PagingRegisters
  package let memory: GuestMemory

  package init(_ registers: PagingRegisters, _ memory: GuestMemory) {
    self.registers = registers
    self.memory = memory
  }

  /// Where `linear` is in guest-physical memory; the address need not be one that the memory has.
  package func translate(_ linear: UInt64, for access: PageAccess) throws(PageWalkError) -> GuestAddress {
    guard registers.isPagingOn else { return GuestAddress(Width.doubleword.truncate(linear)) }
    guard registers.isPAE else {
      return try walk(Width.doubleword.truncate(linear), from: registers.cr3 & 0xffff_f000, levels: 2, access)
    }
    guard registers.isLongMode else {
      return try walk(Width.doubleword.truncate(linear), from: registers.cr3 & 0xffff_ffe0, levels: 3, access)
    }
    guard !registers.hasFiveLevels else { throw .fiveLevels }
    let upper = Int64(bitPattern: linear) >> 47
    guard upper == 0 || upper == -1 else { throw .notCanonical }
    return try walk(linear, from: registers.cr3 & Self.addressBits, levels: 4, access)
  }

  /// A number in the guest's memory, with this walk's error.
  func load<T: FixedWidthInteger & BitwiseCopyable>(_ address: GuestAddress) throws(PageWalkError) -> T {
    do throws(GuestMemoryError) { return try memory.read(address, as: T.self) } catch { throw .outsideMemory }
  }

  func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at address: GuestAddress) throws(PageWalkError) {
    do throws(GuestMemoryError) { try memory.write(value, at: address) } catch { throw .outsideMemory }
  }

  /// Bits 12-51: the address in a table entry.
  private static var addressBits: UInt64 { 0x000f_ffff_ffff_f000 }

  private func walk(
    _ linear: UInt64, from root: UInt64, levels: Int, _ access: PageAccess
  ) throws(PageWalkError) -> GuestAddress {
    var table = root
    var rights = PageEntry.allRights
    var level = levels
    while true {
      let shift = 12 + (levels == 2 ? 10 : 9) * (level - 1)
      let place = GuestAddress(table + entryOffset(linear, shift: shift, isShort: levels == 2))
      let entry = try entry(at: place, isShort: levels == 2)
      guard entry.contains(.present) else { throw .notPresent(level: level) }
      // The top entries of PAE carry no rights and no accessed bit (§5.2.3).
      let isPlain = levels == 3 && level == 3
      if !isPlain { rights.narrow(by: entry) }
      let isLeaf = level == 1 || (entry.contains(.large) && allowsLargePages(level, of: levels))
      if !isLeaf, level == 4, entry.contains(.large) { throw .reservedBit(level: level) }
      if isLeaf { try check(rights, access) }
      if !isPlain { try touch(entry, at: place, isDirty: isLeaf && access.isWrite, isShort: levels == 2) }
      if isLeaf {
        let offset: UInt64 = (1 << UInt64(shift)) - 1
        return GuestAddress(pageAddress(entry, isShort: levels == 2, level) & ~offset | linear & offset)
      }
      table = entry.rawValue & (levels == 2 ? 0xffff_f000 : Self.addressBits)
      level -= 1
    }
  }

  private func allowsLargePages(_ level: Int, of levels: Int) -> Bool {
    switch levels {
    case 2: registers.hasLargePages
    case 3: level == 2
    default: level <= 3
    }
  }

  private func entryOffset(_ linear: UInt64, shift: Int, isShort: Bool) -> UInt64 {
    isShort ? linear.bits(shift, count: 10) * 4 : linear.bits(shift, count: 9) * 8
  }

  /// Large pages of 32-bit tables keep address bits 32-39 in bits 13-20 (PSE-36, §5.2.2).
  private func pageAddress(_ entry: PageEntry, isShort: Bool, _ level: Int) -> UInt64 {
    guard isShort else { return entry.rawValue & Self.addressBits }
    guard level == 2 else { return entry.rawValue & 0xffff_f000 }
    return entry.rawValue & 0xffc0_0000 | entry.rawValue.bits(13, count: 8) << 32
  }

  private func entry(at place: GuestAddress, isShort: Bool) throws(PageWalkError) -> PageEntry {
    if isShort {
      let word: UInt32 = try load(place)
      return PageEntry(rawValue: UInt64(word))
    }
    return PageEntry(rawValue: try load(place))
  }

  private func check(_ rights: PageEntry, _ access: PageAccess) throws(PageWalkError) {
    if access.isUser, !rights.contains(.user) { throw .notAllowed }
    if access.isWrite, !rights.contains(.writable), access.isUser || registers.isWriteProtectOn { throw .notAllowed }
    if access.isFetch, rights.contains(.noExecute), registers.hasNoExecute { throw .notAllowed }
  }

  private func touch(
    _ entry: PageEntry, at place: GuestAddress, isDirty: Bool, isShort: Bool
  ) throws(PageWalkError) {
    let touched = isDirty ? entry | .accessed | .dirty : entry | .accessed
    guard touched != entry else { return }
    if isShort {
      try store(UInt32(truncatingIfNeeded: touched.rawValue), at: place)
    } else {
      try store(touched.rawValue, at: place)
    }
  }
}
