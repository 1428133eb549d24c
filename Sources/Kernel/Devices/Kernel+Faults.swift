// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import IOMMU

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
