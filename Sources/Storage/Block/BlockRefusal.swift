// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// How a request ended, as the guest reads it (virtio 1.2, §5.2.6).
package enum BlockStatus: UInt8, Sendable {
  case done = 0
  case failed = 1
  case unsupported = 2
}

/// Why a request is refused.
package enum BlockRefusal: Error, Equatable, Sendable {
  /// The header is not of 16 bytes.
  case header
  /// The device does not know this type, or did not offer it.
  case type(UInt32)
  /// The data has the wrong direction, or a length that makes no sense for this type.
  case length
  /// More data or segments than the device offered to take.
  case tooLong
  case range(RangeProblem)
  case readOnly
  /// A segment has flags that the device does not know, or that this type may not have.
  case flags

  /// What the guest is told (virtio 1.2, §5.2.6.2).
  package var status: BlockStatus {
    switch self {
    case .type, .flags: .unsupported
    case .header, .length, .tooLong, .range, .readOnly: .failed
    }
  }

  /// What is wrong, in few words.
  package var phrase: StaticString {
    switch self {
    case .header: "a header of another size"
    case .type: "a type that is not offered"
    case .length: "a wrong length of data"
    case .tooLong: "more than may be asked for at once"
    case .range(.empty): "no sectors"
    case .range(.unaligned): "parts of sectors"
    case .range(.beyondEnd): "sectors beyond the end of the disk"
    case .range(.madeUp): "a change of the partition table"
    case .readOnly: "a write to a disk that is read-only"
    case .flags: "unknown flags"
    }
  }
}
