// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A PCI device that a guest has, in the page that kernel and VMM share for it.
///
/// Layout: `PassedDeviceInformation` at byte 0, which the kernel writes at boot and never reads; the word of interrupts
/// at byte 1024, in which the kernel sets bits and the VMM takes them.
@safe
package struct PassedDevice {
  /// The most devices of a guest.
  package static var capacity: Int { 4 }
  /// Messages of a device that are told apart: a guest sees no more.
  package static var messageCapacity: Int { 16 }
  /// The bit of the device's line in the word of interrupts; bit n is message n.
  package static var line: UInt64 { 1 << 63 }
  /// Where a guest can have the registers of its devices: what its firmware calls the window of PCI.
  package static var window: Range<UInt64> { 0xc000_0000..<0xfec0_0000 }
  private static var pendingOffset: Int { 1024 }

  private let base: UnsafeMutableRawPointer

  /// - Precondition: `base` points to a page that is mapped for as long as this value is used, zero before its first use.
  package init(unsafeBase base: UnsafeMutableRawPointer) {
    unsafe self.base = base
  }

  /// What the kernel says of the device.
  package var information: PassedDeviceInformation {
    // SAFETY: the page holds the record at its start, and any bits are one.
    unsafe base.load(as: PassedDeviceInformation.self)
  }

  /// Says what the device is; the kernel's side.
  package func describe(_ information: PassedDeviceInformation) {
    // SAFETY: as above.
    unsafe base.storeBytes(of: information, as: PassedDeviceInformation.self)
  }

  /// Adds interrupts; the caller raises the device's notification.
  package func raise(_ bits: UInt64) {
    _ = pending { $0.bitwiseOr(bits, ordering: .acquiringAndReleasing).oldValue }
  }

  /// Takes the interrupts that came since; each once.
  package func takePending() -> UInt64 { pending { $0.exchange(0, ordering: .acquiringAndReleasing) } }

  private func pending(_ body: (borrowing Atomic<UInt64>) -> UInt64) -> UInt64 {
    // SAFETY: the page is mapped and aligned; only atomics of both sides touch this word.
    unsafe body((base + Self.pendingOffset).assumingMemoryBound(to: Atomic<UInt64>.self).pointee)
  }
}

/// What the kernel tells a VMM of a device of its guest.
package struct PassedDeviceInformation: BitwiseCopyable {
  /// Not zero: the device is there. Else nothing below counts.
  package var isPresent: UInt32 = 0
  /// Where it is.
  package var address = PCIAddress()
  /// Vectors of its table of messages that the guest may have: 0 to `PassedDevice.messageCapacity`.
  package var tableCount: UInt32 = 0
  /// Not zero: it can be reset by itself.
  package var canReset: UInt32 = 0
  /// What it decodes, by the number of the base address register.
  package var ranges: InlineArray<6, PassedRange> = InlineArray(repeating: PassedRange())
  package init() {}
}

/// What a base address register of a device decodes.
package struct PassedRange: BitwiseCopyable {
  /// A `PassedRangeKind`.
  package var kind: UInt32 = 0
  private var reserved: UInt32 = 0
  /// Bytes; of memory, whole pages.
  package var size: UInt64 = 0
  package init() {}
}

package enum PassedRangeKind: UInt32, Sendable {
  case none = 0
  case io = 1
  case memory = 2
  /// Takes two registers.
  case memory64 = 3
}

/// How a guest's device sends its interrupts.
package enum PassedDelivery: UInt64, Sendable {
  case none = 0
  /// By its line, which is silent from one interrupt to its acknowledgement.
  case line = 1
  /// As one message (MSI).
  case message = 2
  /// As messages of its table (MSI-X), masked until they are let through.
  case table = 3
}
