// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
package import Firmware

/// The machine's IOMMUs, whoever made them.
///
/// At boot: a domain for each owner, `map` and `attach`, then `enable`. After that only `map` allocates, and what is done
/// to a device that was never attached.
package enum AnyIOMMU: Sendable {
  case intel(IntelIOMMU)
  case amd(AMDIOMMU)

  /// Whether a device can raise no interrupts but its own; where not, one that is handed out can send any.
  package var remapsInterrupts: Bool {
    switch self {
    case .intel(let intel): intel.remapsInterrupts
    case .amd(let amd): amd.remapsInterrupts
    }
  }

  /// Whether requests of `device` go through an IOMMU.
  package func covers(_ device: FunctionAddress) -> Bool {
    switch self {
    case .intel(let intel): intel.covers(device)
    case .amd(let amd): amd.covers(device)
    }
  }

  /// Memory that firmware's own use of `device` needs: piece `index` of it. A device with such memory is not for a VM.
  package func reservedMemory(of device: FunctionAddress, _ index: Int) -> PhysicalRange? {
    switch self {
    case .intel(let intel): intel.reservedMemory(of: device, index)
    case .amd(let amd): amd.reservedMemory(of: device, index)
    }
  }

  /// A domain in which nothing is mapped.
  package mutating func makeDomain<H: RemappingHost & ~Copyable>(_ host: inout H) throws(IOMMUError) -> DMADomain {
    switch self {
    case .intel(var intel):
      let domain = try intel.makeDomain(&host)
      self = .intel(intel)
      return domain
    case .amd(var amd):
      let domain = try amd.makeDomain(&host)
      self = .amd(amd)
      return domain
    }
  }

  /// Maps memory into a domain, for all its devices, in the largest pages that fit.
  package func map<H: RemappingHost & ~Copyable>(
    _ domain: DMADomain, at address: UInt64, to physical: PhysicalAddress, size: UInt64,
    _ rights: DMARights, _ host: inout H
  ) throws(IOMMUError) {
    switch self {
    case .intel(let intel): try intel.map(domain, at: address, to: physical, size: size, rights, &host)
    case .amd(let amd): try amd.map(domain, at: address, to: physical, size: size, rights, &host)
    }
  }

  /// Gives `device` the memory of a domain, and nothing else. Each address that its requests may carry is attached.
  package func attach<H: RemappingHost & ~Copyable>(
    _ device: FunctionAddress, to domain: DMADomain, _ host: inout H
  ) throws(IOMMUError) {
    switch self {
    case .intel(let intel): try intel.attach(device, to: domain, &host)
    case .amd(let amd): try amd.attach(device, to: domain, &host)
    }
  }

  /// Takes all memory from `device`, as from all that were never attached.
  package func block<H: RemappingHost & ~Copyable>(
    _ device: FunctionAddress, _ host: borrowing H
  ) throws(IOMMUError) {
    switch self {
    case .intel(let intel): try intel.block(device, host)
    case .amd(let amd): try amd.block(device, host)
    }
  }

  /// Switches all units on: what is attached to no domain reaches nothing from now on. With Intel's, I/O APICs too then
  /// only raise what `makeInterrupt` set up.
  package func enable<H: RemappingHost & ~Copyable>(_ host: borrowing H) throws(IOMMUError) {
    switch self {
    case .intel(let intel): try intel.enable(host)
    case .amd(let amd): try amd.enable(host)
    }
  }

  /// The next refused request; a device can cause them without end, so who asks for all of them sets a bound.
  package func nextFault<H: RemappingHost & ~Copyable>(_ host: borrowing H) -> DMAFault? {
    switch self {
    case .intel(let intel): intel.nextFault(host)
    case .amd(let amd): amd.nextFault(host)
    }
  }

  /// Has an interrupt sent for refused requests; after `enable`. AMD's units send the message of their PCI functions,
  /// `faultSource`, which the caller sets.
  package func enableFaultInterrupts<H: RemappingHost & ~Copyable>(
    _ target: InterruptTarget, _ host: borrowing H
  ) throws(IOMMUError) {
    switch self {
    case .intel(let intel): try intel.setFaultMessage(target, host)
    case .amd(let amd): amd.enableFaultInterrupts(host)
    }
  }

  /// Whether interrupts are sent for refused requests; after `enableFaultInterrupts`.
  func signalFaults<H: RemappingHost & ~Copyable>(_ isOn: Bool, _ host: borrowing H) {
    switch self {
    case .intel(let intel): intel.signalFaults(isOn, host)
    case .amd(let amd): amd.signalFaults(isOn, host)
    }
  }

  /// The PCI function that is unit `index`, if it is one.
  package func faultSource(_ index: Int) -> FunctionAddress? {
    switch self {
    case .intel: nil
    case .amd(let amd): amd.faultSource(index)
    }
  }

  /// Whether refused requests of `device` are recorded; they are unless this says otherwise, until it is attached anew.
  package func recordFaults<H: RemappingHost & ~Copyable>(
    of device: FunctionAddress, _ isOn: Bool, _ host: inout H
  ) throws(IOMMUError) {
    switch self {
    case .intel(let intel): try intel.recordFaults(of: device, isOn, &host)
    case .amd(let amd): try amd.recordFaults(of: device, isOn, host)
    }
  }

  /// Sets up an interrupt of `source`. With AMD's, a device must be attached; those of I/O APICs are not remapped.
  package func makeInterrupt<H: RemappingHost & ~Copyable>(
    from source: InterruptSource, to target: InterruptTarget, _ host: borrowing H
  ) throws(IOMMUError) -> RemappedInterrupt {
    switch self {
    case .intel(let intel): try intel.makeInterrupt(from: source, to: target, host)
    case .amd(let amd): try amd.makeInterrupt(from: source, to: target, host)
    }
  }

  /// Makes an interrupt arrive elsewhere, or nowhere. The message only changes if interrupts are not remapped: then it
  /// goes nowhere only as long as nobody writes it.
  package func retarget<H: RemappingHost & ~Copyable>(
    _ interrupt: inout RemappedInterrupt, to target: InterruptTarget?, _ host: borrowing H
  ) throws(IOMMUError) {
    switch self {
    case .intel(let intel): try intel.retarget(&interrupt, to: target, host)
    case .amd(let amd): try amd.retarget(&interrupt, to: target, host)
    }
  }

  /// Lets the interrupts of `device` arrive, or none of them, whatever it sends; those that are refused are not recorded.
  package func admitInterrupts<H: RemappingHost & ~Copyable>(
    of device: FunctionAddress, _ isAdmitted: Bool, _ host: borrowing H
  ) throws(IOMMUError) {
    switch self {
    case .intel(let intel): try intel.admitInterrupts(of: device, isAdmitted, host)
    case .amd(let amd): try amd.admitInterrupts(of: device, isAdmitted, host)
    }
  }

  /// Gives the entry of an interrupt back.
  package func remove<H: RemappingHost & ~Copyable>(
    _ interrupt: RemappedInterrupt, _ host: borrowing H
  ) throws(IOMMUError) {
    switch self {
    case .intel(let intel): try intel.remove(interrupt, host)
    case .amd(let amd): try amd.remove(interrupt, host)
    }
  }
}
