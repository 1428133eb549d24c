// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// An address of the machine's memory, as its bus sees it.
package struct PhysicalAddress: Equatable, Comparable, Sendable, BitwiseCopyable {
  package let value: UInt64
  package init(_ value: UInt64) { self.value = value }
  package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
  package static func + (left: Self, offset: UInt64) -> Self { Self(left.value &+ offset) }
}

/// An address that a guest named: a claim until `GuestMemory` has checked it.
package struct GuestAddress: Equatable, Comparable, Sendable, BitwiseCopyable {
  package let value: UInt64
  package init(_ value: UInt64) { self.value = value }
  package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
  package static func + (left: Self, offset: UInt64) -> Self { Self(left.value &+ offset) }
}
