// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What the disk is to do.
package struct DiskRequest: Equatable, Sendable, BitwiseCopyable {
  package enum Kind: UInt8, Sendable, BitwiseCopyable {
    case read
    case write
    /// A write that is done when the data are on the medium; for drives with `hasDurableWrites`.
    case durableWrite
    /// Done when all writes that were done before it was submitted are on the medium.
    case flush
    /// The sectors' contents are no longer needed; for drives with `hasDiscard`.
    case discard
    case enableWriteCache
    case disableWriteCache
  }

  package var kind: Kind
  /// The first sector.
  package var address: UInt64
  /// How many; 0 for requests that are about no sectors.
  package var sectors: UInt32
  /// What the caller knows the request by.
  package var tag: UInt32

  package init(_ kind: Kind, address: UInt64 = 0, sectors: UInt32 = 0, tag: UInt32) {
    self.kind = kind
    self.address = address
    self.sectors = sectors
    self.tag = tag
  }
}

extension DiskRequest.Kind {
  /// Whether data move between memory and the drive: what a drive with a queue takes many of.
  package var isTransfer: Bool { self == .read || self == .write || self == .durableWrite }
}

/// Why a request was not taken.
package enum RequestError: Error, Equatable {
  /// All slots are in use: to be submitted again after a completion.
  case full
  /// The drive has not been identified yet.
  case notReady
  /// There is no drive.
  case gone
  /// The sectors are not all on the drive, are none, or are more than one request can have.
  case outOfRange
  /// The drive cannot do that.
  case unsupported
  /// A segment's address or length is odd, or it is empty (AHCI 1.3.1, §4.2.3.3).
  case oddSegment
  /// A segment is not all where the controller can reach it.
  case addressTooHigh
  /// The segments need more than `RequestLimits.segments`.
  case tooManySegments
  /// The segments do not hold as many bytes as the sectors.
  case lengthMismatch
}

/// How a request ended.
package enum DiskOutcome: Equatable, Sendable {
  case success
  /// The drive cannot read or write its medium; where it says which, the first sector it was about.
  case mediumError(UInt64?)
  /// The drive or the link failed the request again and again.
  case refused
  /// The drive did not answer, again and again.
  case timedOut
  /// The drive is gone or given up, or another one is in its place. What was done of the request is unknown.
  case gone
}

/// A request that has ended.
package struct Completion: Equatable, Sendable {
  package let tag: UInt32
  package let outcome: DiskOutcome

  package init(tag: UInt32, outcome: DiskOutcome) {
    self.tag = tag
    self.outcome = outcome
  }
}

/// How large a request may be.
package struct RequestLimits: Equatable, Sendable {
  /// Sectors of a read or write: what a command's 16 bits can say.
  package var sectors: UInt32 { 65536 }
  /// Pieces of memory of a read or write, after joining those that touch.
  package var segments: Int { PortMemory.entryCount }
  /// Bytes of one piece; a longer one counts as several (AHCI 1.3.1, §4.2.3.3).
  package var segmentBytes: UInt64 { ScatterList.entryLimit }
  /// Sectors of a discard: the ranges of one block of 512 bytes.
  package var discardSectors: UInt32 { PortMemory.rangesLimit }
  /// Requests that can be submitted at a time.
  package let depth: Int
  /// The last device address that the controller can reach.
  package let highestAddress: UInt64
}
