// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// Bounds what can be written to the log by requests that are refused, and whose are recorded at all.
package struct FaultReports: Sendable {
  /// Lines for each device before it is silenced.
  private static var limit: UInt8 { 8 }

  private var devices: InlineArray<16, FunctionAddress?> = InlineArray(repeating: nil)
  private var counts: InlineArray<16, UInt8> = InlineArray(repeating: 0)
  /// Faults of which the IOMMU cannot say whose they are.
  private var nameless: UInt8 = 0
  /// Whether there were more devices than have a place.
  private var isOverfull = false

  /// What becomes of one of them.
  package enum Answer: Equatable, Sendable {
    case report
    /// The last line there is, until the device's owner starts anew.
    case reportAndSilence
    /// There is no place for the device; the first time that is worth a line.
    case silence(isFirst: Bool)
    case ignore
  }

  package init() {}

  /// Counts a refused request of this device, or of nobody knows whom.
  package mutating func count(_ device: FunctionAddress?) -> Answer {
    guard let device else { return Self.answer(&nameless) }
    for index in 0..<devices.count where devices[index] == nil || devices[index] == device {
      devices[index] = device
      return Self.answer(&counts[index])
    }
    defer { isOverfull = true }
    return .silence(isFirst: !isOverfull)
  }

  private static func answer(_ count: inout UInt8) -> Answer {
    guard count < limit else { return .ignore }
    count += 1
    return count == limit ? .reportAndSilence : .report
  }

  /// What was before a device's owner starts anew.
  package enum Past: Equatable, Sendable {
    case wasHeard
    case wasSilenced
  }

  /// The device's owner starts anew.
  package mutating func forget(_ device: FunctionAddress) -> Past {
    nameless = 0
    for index in 0..<devices.count where devices[index] == device {
      defer { counts[index] = 0 }
      return counts[index] >= Self.limit ? .wasSilenced : .wasHeard
    }
    return isOverfull ? .wasSilenced : .wasHeard
  }
}
