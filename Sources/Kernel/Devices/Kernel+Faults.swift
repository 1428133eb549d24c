// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import CX86
import IOMMU
import PCI

extension Kernel {
  /// Reports requests that an IOMMU refused.
  @inline(never)
  func reportFaults() {
    guard remapping.count > 0 else { return }
    remapping[0].lock.hold {
      let wasMuted = remapping[0].isMuted
      remapping[0].takeFaults { report($0) }
      guard remapping[0].isMuted, !wasMuted, !remapping[0].wasEverMuted else { return }
      remapping[0].wasEverMuted = true
      log(.error, "DMA: more than \(FaultWatch.most) requests were refused within a second; most are not looked at")
    }
  }

  /// Listens again to what was too much a while ago; called at each tick of the core that hears of faults.
  @inline(__always)
  func listenAgain() {
    if remapping.count > 0, remapping[0].isMuted { reportFaults() }
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
    let answer = remapping[0].reports.count(fault.source)
    guard let source = fault.source else {
      if answer != .ignore { log(.error, fault.line) }
      if answer == .reportAndSilence { log(.error, "DMA: more of this is not reported") }
      return
    }
    // What no IOMMU keeps from being recorded ends at the device, until its VM starts it anew.
    if fault.reason == .badInterrupt, answer != .report { stop(source) }
    switch answer {
    case .ignore: return
    case .report: say(fault, source)
    case .reportAndSilence:
      say(fault, source)
      remapping[0].setSilent(source, true)
      log(.error, "more of \(source) is not reported")
    case .silence(let isFirst):
      remapping[0].setSilent(source, true)
      if isFirst { log(.error, "DMA: requests of more than 16 devices were refused; others are not reported") }
    }
  }

  private func say(_ fault: DMAFault, _ source: FunctionAddress) {
    if let owner = owner(of: source) {
      log(.error, "\(domains[owner].name): \(fault.line)")
    } else {
      log(.error, fault.line)
    }
  }

  /// Takes the bus and its interrupts from a guest's device.
  private func stop(_ source: FunctionAddress) {
    for index in 0..<passed.count {
      guard let place = passed[index].place, place.function.address == source else { continue }
      place.function.quiesce(in: access)
    }
  }
}
