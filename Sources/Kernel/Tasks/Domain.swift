// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// A protection domain: an address space, the rights of its thread, and what it takes to start it anew.
///
/// All of it is fixed at boot; what changes is in its thread and in the page behind `status`.
struct Domain: ~Copyable {
  let name: ShortName
  let space: AddressSpace
  let traits: DomainTraits
  let onCrash: OnCrash
  /// The program, and where it is loaded whenever the domain starts.
  let program: Program
  /// Memory that is zeroed whenever the domain starts.
  var workspaces: FixedList<16, PhysicalExtent>
  /// The other ends of its channels, by slot.
  let channels: Table<ChannelEnd?>
  let ports: Table<PortRange>
  /// Its device interrupts, by slot: indices of `Kernel.lines`.
  let lines: Table<Int?>
  /// The function names of its program; empty if there are none.
  let symbols: PhysicalExtent
  /// Whether it may start: its core runs, or it may have another.
  let hasCore: Bool
  let status: Cell<DomainStatus>

  /// Whether it may use `width` ports from `port` on.
  func mayUse(port: UInt64, width: UInt64) -> Bool {
    for index in 0..<ports.count where ports[index].contains(port, width: width) { return true }
    return false
  }
}

/// Contiguous physical memory.
struct PhysicalExtent {
  let start: PhysicalAddress
  let size: UInt64
}

/// The other end of a channel: raising `bit` of `thread`.
struct ChannelEnd {
  let thread: Int
  let notification: Notifications
}

/// `count` I/O ports from `first` on.
struct PortRange {
  let first: UInt64
  let count: UInt64

  func contains(_ port: UInt64, width: UInt64) -> Bool { port >= first && fits(port - first, count: width, in: count) }
}

/// A program as it was packed, and the memory it is loaded into.
struct Program {
  let entry: UInt64
  var segments: FixedList<8, LoadedSegment>
}

/// One segment of a program: `pristine` is copied to `memory`, the rest of which is zero.
struct LoadedSegment {
  let pristine: PhysicalExtent
  let memory: PhysicalExtent
}

/// Up to `capacity` values, in place.
struct FixedList<let capacity: Int, Element> {
  private var elements: InlineArray<capacity, Element?> = InlineArray(repeating: nil)
  private(set) var count = 0

  /// Adds a value.
  /// - Throws: if the list is full.
  mutating func append(_ element: Element, orSay sentence: StaticString) throws(BootError) {
    guard count < capacity else { throw .refused(sentence) }
    elements[count] = element
    count += 1
  }

  subscript(_ index: Int) -> Element {
    guard index < count, let element = elements[index] else { preconditionFailure() }
    return element
  }
}
