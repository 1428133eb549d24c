// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// What a disk server counts: a page that it writes and the console reads, at `AddressMap.diskCounters`.
package struct DiskCounters: BitwiseCopyable {
  package var name = ShortName()
  package var clientCount: UInt32 = 0
  /// Times the server was started.
  package var starts: UInt32 = 0
  /// A `DiskState`.
  package var state: UInt32 = 0
  /// Where the controller was found.
  package var controller = PCIAddress()
  /// What the drive says of itself: ASCII, filled up with zeros.
  package var model: InlineArray<40, UInt8> = InlineArray(repeating: 0)
  package var serial: InlineArray<20, UInt8> = InlineArray(repeating: 0)
  /// Bytes of a sector, and sectors; zero while there is no drive.
  package var sectorSize: UInt32 = 0
  package var sectorCount: UInt64 = 0
  /// A `PartitionTableKind`.
  package var table: UInt32 = 0
  package var partitionCount: UInt32 = 0
  /// Commands that the drive takes at a time, and has now.
  package var depth: UInt32 = 0
  package var issued: UInt32 = 0
  package var drive = DriveCounters()
  package var clients: InlineArray<16, DiskClientCounters> = InlineArray(repeating: DiskClientCounters())
  package init() {}
}

/// What controller and drive did since the server last started.
package struct DriveCounters: BitwiseCopyable {
  /// Commands given to the drive, repeated ones included.
  package var commands: UInt64 = 0
  package var interrupts: UInt64 = 0
  /// Commands that the drive said have failed.
  package var driveErrors: UInt64 = 0
  /// Errors of the link or the controller's bus.
  package var linkErrors: UInt64 = 0
  package var timeouts: UInt64 = 0
  /// Commands given again after an error.
  package var repeats: UInt64 = 0
  package var portResets: UInt64 = 0
  package var controllerResets: UInt64 = 0
  /// The most commands the drive had at a time.
  package var deepestQueue: UInt64 = 0
  package init() {}
}

/// What a disk server counts of one client. They are never set back while the machine runs.
package struct DiskClientCounters: BitwiseCopyable {
  package var machine = ShortName()
  /// The disk's number in its VM.
  package var disk: UInt32 = 0
  /// A `DiskClientState`.
  package var state: UInt32 = 0
  /// The partition's number; 0 for the whole disk, or while none is known.
  package var partition: UInt32 = 0
  package var isReadOnly: UInt32 = 0
  /// The sectors of the real disk that the VM reaches.
  package var firstSector: UInt64 = 0
  package var sectorCount: UInt64 = 0
  /// Requests that were done, by what they were, and bytes that were moved.
  package var reads: UInt64 = 0
  package var writes: UInt64 = 0
  package var bytesRead: UInt64 = 0
  package var bytesWritten: UInt64 = 0
  package var flushes: UInt64 = 0
  /// Discards and fillings with zeroes.
  package var clears: UInt64 = 0
  /// Requests that were refused: the driver asked for what it may not have.
  package var refused: UInt64 = 0
  /// Requests that the drive failed.
  package var errors: UInt64 = 0
  /// Requests whose time was taken, the nanoseconds of all of them, and of the longest.
  package var timed: UInt64 = 0
  package var latencySum: UInt64 = 0
  package var latencyMaximum: UInt64 = 0
  /// Requests that are under way, and the most there were.
  package var depth: UInt32 = 0
  package var deepest: UInt32 = 0
  /// Times the VM was interrupted, and kicked.
  package var interrupts: UInt64 = 0
  package var kicks: UInt64 = 0
  /// Requests that were taken up again after the server failed.
  package var resumed: UInt64 = 0
  package init() {}
}

/// What a disk is doing.
package enum DiskState: UInt32, Sendable {
  /// Controller, drive or partition table are being looked at.
  case starting = 0
  case ready = 1
  /// Requests wait until controller and drive have come round.
  case recovering = 2
  /// There is no drive; one can be plugged in.
  case absent = 3
  /// The controller is not there, or cannot be used.
  case failed = 4
}

/// What a virtual disk is doing.
package enum DiskClientState: UInt32, Sendable {
  /// Not known yet what there is.
  case waiting = 0
  /// No driver uses it.
  case down = 1
  case up = 2
  /// There is no such partition, or it cannot be used.
  case missing = 3
  /// The driver broke the rules: shut down until it resets the device.
  case failed = 4
}

/// What kind of partition table a disk has.
package enum PartitionTableKind: UInt32, Sendable {
  case none = 0
  case mbr = 1
  case gpt = 2
}
