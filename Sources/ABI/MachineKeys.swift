// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What a person does to a VM beside typing.
package enum MachineKey: Int, Sendable {
  /// A BREAK on its serial line.
  case lineBreak = 0
  /// Its power button.
  case powerButton = 64
  /// The button of a board that raises an NMI.
  case nonMaskable = 128
}

/// How often each key was pressed since the machine started: a part of the console's channel, which the console writes and
/// the VMM compares with what it has seen.
@safe
package struct MachineKeys {
  package static var size: UInt64 { 256 }
  /// Where the console notes how many bytes it had typed at the last BREAK, which is one among them.
  private static var breakPlace: Int { 192 }

  private let base: UnsafeMutableRawPointer

  /// - Precondition: `base` points to `size` bytes, mapped for as long as this value is used, aligned to 64 and zero
  ///   before their first use.
  init(unsafeBase base: UnsafeMutableRawPointer) {
    // SAFETY: the caller's promise, above.
    unsafe self.base = base
  }

  /// How often `key` was pressed.
  package func count(_ key: MachineKey) -> UInt32 { load(key.rawValue) }

  /// The count of typed bytes behind which the last BREAK came.
  package var breakPosition: UInt32 { load(Self.breakPlace) }

  /// Presses `key`, after `typed` bytes.
  package func press(_ key: MachineKey, after typed: UInt32) {
    if key == .lineBreak { store(typed, at: Self.breakPlace) }
    store(load(key.rawValue) &+ 1, at: key.rawValue)
  }

  private func load(_ place: Int) -> UInt32 {
    // SAFETY: the page is mapped and aligned; only atomics of both domains touch these words.
    unsafe (base + place).assumingMemoryBound(to: Atomic<UInt32>.self).pointee.load(ordering: .acquiring)
  }

  private func store(_ value: UInt32, at place: Int) {
    // SAFETY: as in `load`.
    unsafe (base + place).assumingMemoryBound(to: Atomic<UInt32>.self).pointee.store(value, ordering: .releasing)
  }
}
