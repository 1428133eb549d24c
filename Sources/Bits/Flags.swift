// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A hardware or protocol word whose bits have names.
///
/// `OptionSet` needs array literals, which need a heap; this does not.
package protocol Flags: Equatable, Sendable, BitwiseCopyable {
  associatedtype RawValue: FixedWidthInteger & UnsignedInteger & Sendable & BitwiseCopyable
  var rawValue: RawValue { get }
  init(rawValue: RawValue)
}

extension Flags {
  /// No bit set.
  package static var none: Self { Self(rawValue: 0) }

  /// The word in which only bit `index` is set.
  package static func bit(_ index: Int) -> Self { Self(rawValue: 1 << RawValue(truncatingIfNeeded: index)) }

  /// Whether all bits of `other` are set.
  package func contains(_ other: Self) -> Bool { rawValue & other.rawValue == other.rawValue }

  /// Whether any bit of `other` is set.
  package func intersects(_ other: Self) -> Bool { rawValue & other.rawValue != 0 }

  /// Whether no bit is set.
  package var isEmpty: Bool { rawValue == 0 }

  package mutating func insert(_ other: Self) { self = Self(rawValue: rawValue | other.rawValue) }
  package mutating func remove(_ other: Self) { self = Self(rawValue: rawValue & ~other.rawValue) }

  package mutating func set(_ other: Self, to isOn: Bool) { if isOn { insert(other) } else { remove(other) } }

  package static func | (left: Self, right: Self) -> Self { Self(rawValue: left.rawValue | right.rawValue) }
  package static func & (left: Self, right: Self) -> Self { Self(rawValue: left.rawValue & right.rawValue) }
}
