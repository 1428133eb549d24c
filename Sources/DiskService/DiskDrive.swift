// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import AHCI
package import Bits
package import Storage
package import Virtio

/// What a drive can do, as far as the service has to know.
package struct DriveFacts: Sendable {
  package var geometry: DiskGeometry
  /// Commands that it takes at a time.
  package var depth: Int
  package var hasFlush = true
  package var hasDurableWrites = false
  /// Sectors that one command may discard; 0 if it cannot.
  package var discardSectors: UInt32 = 0
  package var discardsToZero = false
  /// A physical sector is two to this power of logical ones.
  package var physicalExponent: UInt8 = 0
  package var alignmentOffset: UInt8 = 0
  package var isReadOnly = false
  /// Grows when another drive is in the place of this one.
  package var generation: UInt32 = 0

  package init(geometry: DiskGeometry, depth: Int) {
    self.geometry = geometry
    self.depth = depth
  }
}

extension DriveFacts {
  /// A drive without a sector.
  static var none: Self {
    guard let geometry = DiskGeometry(sectorSize: .bytes512, sectorCount: 0) else { preconditionFailure("it is empty") }
    return Self(geometry: geometry, depth: 1)
  }
}

/// What a drive is doing.
package enum DriveStatus: Equatable, Sendable {
  case starting
  case ready
  /// Requests are taken, and carried out later.
  case recovering
  /// There is none.
  case absent
  case failed
}

/// The memory that a command is about.
package enum DriveData: Sendable {
  case none
  /// A part of the chain that is given along, which is the guest's with this number.
  case chain(ChainPart, GuestMemory, guest: Int)
  /// The service's own buffer, from its first byte on.
  case buffer(byteCount: UInt64)
  /// Bytes of zero.
  case zeroes(byteCount: UInt64)
}

/// What carries out commands for sectors: a drive behind a controller, or what stands for one.
///
/// Each request that `submit` takes ends with one completion, whatever becomes of the drive.
package protocol DiskDrive: ~Copyable {
  /// Bytes of zero that one command may write.
  var zeroesLimit: UInt64 { get }
  var status: DriveStatus { get }
  /// `nil` while there is no drive.
  var facts: DriveFacts? { get }
  /// Whether no command that has ended, in this life of the server or in one before, reaches memory any more.
  var isQuiet: Bool { get }
  /// What controller and drive did since the server started.
  var counters: Counters { get }
  /// What the drive says of itself.
  var model: DriveText { get }
  var serial: DriveText { get }

  /// Does what is due.
  mutating func service(now: UInt64, hasInterrupt: Bool)
  /// When `service` is due even without an interrupt.
  func nextDeadline(after now: UInt64) -> UInt64?
  mutating func submit(
    _ request: DiskRequest, _ data: DriveData, _ chain: borrowing DescriptorChain
  ) throws(RequestError)
  /// Gives the drive what was submitted.
  mutating func issue(now: UInt64)
  mutating func takeCompletion() -> Completion?
  /// Lends the first bytes of the service's own buffer, into which a command has read.
  func withBuffer<R>(_ byteCount: Int, _ body: (borrowing RawSpan) -> R) -> R
}
