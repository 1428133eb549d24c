// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Synchronization

// How a VMM (control plane) hands a device to a server (data plane), and takes it back:
//
//   VMM     writes `setup`, then raises `request` by one, then signals its channel.
//   server  sees `request` differ from `answer`: takes a copy of `setup`, uses it (or stops using the queues), and only
//           then makes `answer` equal to `request` and signals back. After that it touches no memory of an older setup.
//   VMM     proposes nothing new, and does not tell the driver that a reset is done, before `answer` equals `request`.
//
// A server that describes its device does so before it first answers, and again when that changes: it writes the
// description and only then raises `described` by one. A VMM that needs it waits for that.
//
// The page keeps its contents when either side starts anew: a server finds the setup that counts, a VMM the number to
// count on from.

/// One end of the page that a VMM and the server of one of its devices share.
///
/// Layout: the VMM's request at byte 0, the server's answer at 64, the server's events at 128, how often it
/// described the device at 160, `DeviceSetup` at 256, the description (`descriptionSize` bytes) at 2048.
@safe
package struct DeviceLink {
  /// Bytes of the shared region.
  package static var size: UInt64 { 4096 }
  /// Bytes in which a server describes its device.
  package static var descriptionSize: Int { 256 }
  private static var setupOffset: Int { 256 }
  private static var descriptionOffset: Int { 2048 }

  private let base: UnsafeMutableRawPointer

  /// - Precondition: `base` points to `size` bytes, mapped for as long as this value is used, page-aligned and zero
  ///   before their first use.
  package init(unsafeBase base: UnsafeMutableRawPointer) {
    unsafe self.base = base
  }

  // MARK: - The VMM's side

  /// Whether the server has acted on all that was proposed.
  package var isSettled: Bool { load(.request) == load(.answer) }

  /// Gives the server a new setup; the caller signals it.
  /// - Precondition: `isSettled`; else the server may find a mixture, to the harm of this VM alone.
  package func propose(_ setup: DeviceSetup) {
    // SAFETY: the region holds the record at its offset, which is a multiple of its alignment.
    unsafe base.storeBytes(of: setup, toByteOffset: Self.setupOffset, as: DeviceSetup.self)
    store(load(.request) &+ 1, to: .request)
  }

  /// Takes what the server wanted to tell; each event once.
  package func takeEvents() -> DeviceEvents {
    DeviceEvents(rawValue: events { $0.exchange(0, ordering: .acquiringAndReleasing) })
  }

  /// Whether the server has described its device, in this life or one before.
  package var isDescribed: Bool { load(.described) != 0 }

  /// How the server describes its device. A claim of the server, and a mixture if it is just changing it: then
  /// `DeviceEvents.configurationChanged` follows.
  package func description<T: BitwiseCopyable>(as type: T.Type) -> T {
    precondition(MemoryLayout<T>.size <= Self.descriptionSize)
    // SAFETY: the description's bytes hold a value of this size, and any bits are one.
    return unsafe base.loadUnaligned(fromByteOffset: Self.descriptionOffset, as: T.self)
  }

  // MARK: - The server's side

  /// What the VMM proposed, with the number to answer it by; `nil` if that was answered.
  package func proposal() -> (number: UInt32, setup: DeviceSetup)? {
    let number = load(.request)
    guard number != load(.answer) else { return nil }
    // SAFETY: as in `propose`; any bits are a setup.
    return (number, unsafe base.load(fromByteOffset: Self.setupOffset, as: DeviceSetup.self))
  }

  /// The setup that was last answered, for a server that starts anew.
  package func answeredSetup() -> DeviceSetup {
    // SAFETY: as in `proposal`.
    unsafe base.load(fromByteOffset: Self.setupOffset, as: DeviceSetup.self)
  }

  /// Says that proposal `number` is in force; the caller signals the VMM.
  package func answer(_ number: UInt32) { store(number, to: .answer) }

  /// Adds to what the VMM is to be told; the caller signals it if there was nothing before.
  /// - Returns: Whether all events had been taken.
  package func raise(_ new: DeviceEvents) -> Bool {
    events { $0.bitwiseOr(new.rawValue, ordering: .acquiringAndReleasing).oldValue } == 0
  }

  /// Describes the device to the VMM; the caller raises `DeviceEvents.configurationChanged`.
  package func describe<T: BitwiseCopyable>(_ description: T) {
    precondition(MemoryLayout<T>.size <= Self.descriptionSize)
    // SAFETY: the description's bytes hold a value of this size.
    unsafe base.storeBytes(of: description, toByteOffset: Self.descriptionOffset, as: T.self)
    store(max(load(.described) &+ 1, 1), to: .described)
  }

  // MARK: - Words of both

  private enum Word: Int {
    case request = 0
    case answer = 64
    case described = 160
  }

  private func load(_ word: Word) -> UInt32 {
    // SAFETY: the region is mapped and aligned; only atomics of both domains touch these words.
    unsafe (base + word.rawValue).assumingMemoryBound(to: Atomic<UInt32>.self).pointee.load(ordering: .acquiring)
  }

  private func store(_ value: UInt32, to word: Word) {
    // SAFETY: as in `load`.
    unsafe (base + word.rawValue).assumingMemoryBound(to: Atomic<UInt32>.self).pointee
      .store(value, ordering: .releasing)
  }

  #if FAULT_INJECTION
    func fault<R>(_ body: (borrowing Atomic<UInt64>) -> R) -> R {
      // SAFETY: as in `load`, at byte 192.
      unsafe body((base + 192).assumingMemoryBound(to: Atomic<UInt64>.self).pointee)
    }
  #endif

  private func events(_ body: (borrowing Atomic<UInt64>) -> UInt64) -> UInt64 {
    // SAFETY: as in `load`, at byte 128.
    unsafe body((base + 128).assumingMemoryBound(to: Atomic<UInt64>.self).pointee)
  }
}
