// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What the drive's "NCQ command error" log says of the queued command that failed (ACS-3, §A.14).
struct QueuedError: Equatable {
  /// The command's tag, which is its slot.
  let slot: Int
  let error: DriveError
  /// A claim: where on the drive.
  let sector: UInt64

  /// - Returns: `nil` if the checksum is wrong, or the log is not about a queued command.
  init?(_ log: borrowing RawSpan) {
    guard isSumZero(log), let tag: UInt8 = log.load(0), tag & 0x80 == 0, let error: UInt8 = log.load(3),
      let low: UInt32 = log.load(4), let high: UInt32 = log.load(8)
    else { return nil }
    slot = Int(tag & 0x1f)
    self.error = DriveError(rawValue: error)
    sector = UInt64(low & 0xff_ffff) | UInt64(high & 0xff_ffff) << 24
  }
}

/// Whether the bytes add up to zero, as blocks with a checksum do.
func isSumZero(_ block: borrowing RawSpan) -> Bool {
  var sum: UInt8 = 0
  for index in 0..<block.byteCount { sum &+= block.load(index) ?? 0 }
  return sum == 0
}
