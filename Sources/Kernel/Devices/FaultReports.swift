// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import IOMMU

/// Bounds what one device can have written to the log by requests that are refused.
struct FaultReports {
  /// Lines for each device before it is silenced.
  private static var limit: UInt8 { 8 }

  private var devices: InlineArray<16, FunctionAddress?> = InlineArray(repeating: nil)
  private var counts: InlineArray<16, UInt8> = InlineArray(repeating: 0)

  enum Answer {
    case report
    /// The last line there is, until the device's owner starts anew.
    case reportAndSilence
    case ignore
  }

  mutating func count(_ device: FunctionAddress) -> Answer {
    for index in 0..<devices.count where devices[index] == nil || devices[index] == device {
      devices[index] = device
      guard counts[index] < Self.limit else { return .ignore }
      counts[index] += 1
      return counts[index] == Self.limit ? .reportAndSilence : .report
    }
    return .ignore
  }

  enum Past {
    case wasHeard
    case wasSilenced
  }

  /// The device's owner starts anew.
  mutating func forget(_ device: FunctionAddress) -> Past {
    for index in 0..<devices.count where devices[index] == device {
      defer { counts[index] = 0 }
      return counts[index] >= Self.limit ? .wasSilenced : .wasHeard
    }
    return .wasHeard
  }
}
