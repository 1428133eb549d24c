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

extension Kernel {
  /// Reports requests that an IOMMU refused.
  @inline(never)
  func reportFaults() {
    guard remapping.count > 0 else { return }
    remapping[0].lock.hold {
      // A device can cause them without end.
      for _ in 0..<64 {
        guard let fault = remapping[0].nextFault() else { return }
        report(fault)
      }
    }
  }

  /// The owner of a device starts anew: refused requests are worth a line again.
  @inline(never)
  func reportFaultsAgain(of device: FunctionAddress) {
    guard remapping.count > 0 else { return }
    remapping[0].lock.hold {
      if remapping[0].reports.forget(device) == .wasSilenced { remapping[0].setSilent(device, false) }
    }
  }

  private func report(_ fault: DMAFault) {
    guard let source = fault.source else { return log(.error, fault.line) }
    let answer = remapping[0].reports.count(source)
    if case .ignore = answer { return }
    if let owner = owner(of: source) {
      log(.error, "\(domains[owner].name): \(fault.line)")
    } else {
      log(.error, fault.line)
    }
    guard case .reportAndSilence = answer else { return }
    remapping[0].setSilent(source, true)
    log(.error, "more of \(source) is not reported")
  }
}
