// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
package import Firmware
import PCI

/// All IOMMUs of a machine with AMD's (AMD I/O Virtualization 3.08).
///
/// Devices' messages are remapped, each device with a table of its own. Those of I/O APICs go through as they are: their
/// redirection entries are the kernel's alone, and no other device may have their address.
package struct AMDIOMMU: Sendable {
  private let description: AMDRemapping
  private var units: InlineArray<16, AMDUnit>
  private let devices: AMDDeviceTable
  private let form: TableForm
  private var nextDomain: UInt32 = 1
  /// Whether a device can raise no interrupts but its own.
  package let remapsInterrupts: Bool

  /// Makes the tables; nothing of the hardware changes before `enable`.
  package init<H: RemappingHost & ~Copyable>(
    _ description: AMDRemapping, _ host: inout H
  ) throws(IOMMUError) {
    // Commands and tables name a function without its segment, and one table is enough: devices of other segments stay
    // uncovered, which is to say nobody's.
    let description = description.only(segment: 0)
    self.description = description
    guard description.unitCount > 0 else { throw .missing }
    units = InlineArray(repeating: try AMDUnit(description.unit(0), &host))
    for index in 1..<description.unitCount { units[index] = try AMDUnit(description.unit(index), &host) }
    // Four levels, and pages of all sizes, are there in all of them (§2.2.3).
    form = TableForm(
      maker: .amd, levels: 4, largestLevel: 2, limit: 1 << 48, physicalLimit: MemoryMap.end, isCoherent: true,
      forcesCoherence: true)
    devices = try AMDDeviceTable(form, &host)
    // Firmware that names no I/O APIC says nothing of interrupts at all.
    var namesControllers = false
    for index in 0..<description.controllerCount {
      let controller = description.controller(index)
      if controller.isIOAPIC { namesControllers = true }
      devices.passInterrupts(of: controller.device, controller.settings, host)
    }
    remapsInterrupts = namesControllers
  }

  // MARK: - Who is whose

  /// Whether requests of `device` go through an IOMMU.
  package func covers(_ device: FunctionAddress) -> Bool {
    guard device.segment == 0 else { return false }
    for index in 0..<description.deviceCount where contains(index, device) { return true }
    return false
  }

  /// Memory that firmware's own use of `device` needs: piece `index` of it.
  package func reservedMemory(of device: FunctionAddress, _ index: Int) -> PhysicalRange? {
    var found = 0
    for position in 0..<description.regionCount {
      let region = description.region(position)
      guard region.segment == device.segment, region.first <= device.requester, device.requester <= region.last else {
        continue
      }
      if found == index { return region.range }
      found += 1
    }
    return nil
  }

  /// Whose name the requests of `device` carry too.
  private func alias(of device: FunctionAddress) -> UInt16? {
    for index in 0..<description.deviceCount where contains(index, device) {
      if let alias = description.devices(index).alias { return alias }
    }
    return nil
  }

  private func contains(_ index: Int, _ device: FunctionAddress) -> Bool {
    let range = description.devices(index)
    return range.first <= device.requester && device.requester <= range.last
  }

  private func isController(_ device: UInt16) -> Bool {
    for index in 0..<description.controllerCount where description.controller(index).device == device { return true }
    return false
  }

  // MARK: - Domains

  /// A domain in which nothing is mapped.
  package mutating func makeDomain<H: RemappingHost & ~Copyable>(_ host: inout H) throws(IOMMUError) -> DMADomain {
    guard nextDomain <= 0xffff else { throw .tooManyDomains }
    let domain = DMADomain(
      number: UInt16(truncatingIfNeeded: nextDomain), table: try TranslationTable(form, &host))
    nextDomain += 1
    return domain
  }

  /// Maps memory into a domain, for all its devices.
  package func map<H: RemappingHost & ~Copyable>(
    _ domain: DMADomain, at address: UInt64, to physical: PhysicalAddress, size: UInt64, _ rights: DMARights,
    _ host: inout H
  ) throws(IOMMUError) {
    try domain.table.map(address, to: physical, size: size, rights, &host)
    try forgetPages(of: domain.number, host)
  }

  /// Gives `device` the memory of a domain, and nothing else; so it does to the address that stands for it.
  package func attach<H: RemappingHost & ~Copyable>(
    _ device: FunctionAddress, to domain: DMADomain, _ host: inout H
  ) throws(IOMMUError) {
    guard covers(device) else { throw .notCovered(device) }
    guard !isController(device.requester) else { throw .sharedWithController(device) }
    if let alias = alias(of: device), isController(alias) {
      throw .sharedWithController(FunctionAddress(requester: alias))
    }
    try block(device, host)
    var interrupts = remapsInterrupts ? devices.interrupts(of: device.requester, host) : nil
    if remapsInterrupts, interrupts == nil { interrupts = AMDInterrupts(table: try host.pages()) }
    if let alias = alias(of: device) {
      devices.attach(alias, to: domain, interrupts, host)
      try forget(alias, domain.number, host)
    }
    devices.attach(device.requester, to: domain, interrupts, host)
    try forget(device.requester, domain.number, host)
  }

  /// Takes all memory from `device`.
  package func block<H: RemappingHost & ~Copyable>(
    _ device: FunctionAddress, _ host: borrowing H
  ) throws(IOMMUError) {
    guard covers(device) else { throw .notCovered(device) }
    try block(device.requester, host)
    if let alias = alias(of: device) { try block(alias, host) }
  }

  private func block<H: RemappingHost & ~Copyable>(_ device: UInt16, _ host: borrowing H) throws(IOMMUError) {
    guard !isController(device) else { return }
    let domain = devices.domain(of: device, host)
    devices.block(device, host)
    try forget(device, domain, host)
  }

  // MARK: - Running

  /// Switches all units on: what is attached to no domain reaches nothing from now on.
  package func enable<H: RemappingHost & ~Copyable>(_ host: borrowing H) throws(IOMMUError) {
    for index in 0..<description.unitCount {
      try units[index].enable(deviceTable: devices.table, size: AMDDeviceTable.size, host)
    }
  }

  /// The next refused request.
  package func nextFault<H: RemappingHost & ~Copyable>(_ host: borrowing H) -> DMAFault? {
    for index in 0..<description.unitCount {
      if let fault = units[index].nextFault(host) { return fault }
    }
    return nil
  }

  /// The PCI function whose message each unit sends for a refused request, once `enableFaultInterrupts` was called.
  package func faultSource(_ index: Int) -> FunctionAddress? {
    index >= 0 && index < description.unitCount ? description.unit(index).function : nil
  }

  /// Has messages sent for refused requests; after `enable`.
  package func enableFaultInterrupts<H: RemappingHost & ~Copyable>(_ host: borrowing H) { signalFaults(true, host) }

  /// Whether messages are sent for refused requests.
  func signalFaults<H: RemappingHost & ~Copyable>(_ isOn: Bool, _ host: borrowing H) {
    for index in 0..<description.unitCount { units[index].signalEvents(isOn, host) }
  }

  /// Whether refused requests of `device` are recorded; they are unless this says otherwise, until it is attached anew.
  package func recordFaults<H: RemappingHost & ~Copyable>(
    of device: FunctionAddress, _ isOn: Bool, _ host: borrowing H
  ) throws(IOMMUError) {
    guard covers(device) else { throw .notCovered(device) }
    try silence(device.requester, !isOn, host)
    if let alias = alias(of: device) { try silence(alias, !isOn, host) }
  }

  private func silence<H: RemappingHost & ~Copyable>(
    _ device: UInt16, _ isSilent: Bool, _ host: borrowing H
  ) throws(IOMMUError) {
    guard !isController(device) else { return }
    devices.silence(device, isSilent, host)
    try forget(device, devices.domain(of: device, host), host)
  }

  // MARK: - Interrupts

  /// Sets up an interrupt of `source`.
  package func makeInterrupt<H: RemappingHost & ~Copyable>(
    from source: InterruptSource, to target: InterruptTarget, _ host: borrowing H
  ) throws(IOMMUError) -> RemappedInterrupt {
    guard case .device(let device) = source, remapsInterrupts else {
      return RemappedInterrupt(message: try target.message(), requester: FunctionAddress(requester: 0), index: nil)
    }
    guard let interrupts = devices.interrupts(of: device.requester, host) else { throw .notAttached(device) }
    let index = try interrupts.free(host)
    try interrupts.set(index, to: target, host)
    try forgetInterrupts(of: device.requester, host)
    // The index takes the place of the vector (§2.2.5).
    let message = InterruptMessage(address: 0xfee0_0000, data: UInt32(index))
    return RemappedInterrupt(message: message, requester: device, index: index)
  }

  /// Makes an interrupt arrive elsewhere, or nowhere. The message only changes if interrupts are not remapped: then it
  /// goes nowhere only as long as nobody writes it.
  package func retarget<H: RemappingHost & ~Copyable>(
    _ interrupt: inout RemappedInterrupt, to target: InterruptTarget?, _ host: borrowing H
  ) throws(IOMMUError) {
    guard let index = interrupt.index, let interrupts = devices.interrupts(of: interrupt.requester.requester, host)
    else {
      if let target { interrupt.message = try target.message() }
      return
    }
    try interrupts.set(index, to: target, host)
    try forgetInterrupts(of: interrupt.requester.requester, host)
  }

  /// Lets the interrupts of `device` arrive, or none of them; those that are refused are not recorded.
  package func admitInterrupts<H: RemappingHost & ~Copyable>(
    of device: FunctionAddress, _ isAdmitted: Bool, _ host: borrowing H
  ) throws(IOMMUError) {
    guard remapsInterrupts, let interrupts = devices.interrupts(of: device.requester, host) else { return }
    interrupts.admit(isAdmitted, host)
    try forgetInterrupts(of: device.requester, host)
  }

  /// Gives the entry of an interrupt back.
  package func remove<H: RemappingHost & ~Copyable>(
    _ interrupt: RemappedInterrupt, _ host: borrowing H
  ) throws(IOMMUError) {
    guard let index = interrupt.index, let interrupts = devices.interrupts(of: interrupt.requester.requester, host)
    else { return }
    interrupts.clear(index, host)
    try forgetInterrupts(of: interrupt.requester.requester, host)
  }

  // MARK: - Caches

  /// The entry first, then what was translated by it (§2.4.2).
  private func forget<H: RemappingHost & ~Copyable>(
    _ device: UInt16, _ domain: UInt16, _ host: borrowing H
  ) throws(IOMMUError) {
    for index in 0..<description.unitCount { try units[index].carryOut(host, AMDCommand.deviceEntry(device)) }
    try forgetPages(of: domain, host)
    try forgetInterrupts(of: device, host)
  }

  private func forgetPages<H: RemappingHost & ~Copyable>(of domain: UInt16, _ host: borrowing H) throws(IOMMUError) {
    for index in 0..<description.unitCount {
      try units[index].carryOut(host, AMDCommand.pages(of: domain), AMDCommand.everyPage)
    }
  }

  private func forgetInterrupts<H: RemappingHost & ~Copyable>(
    of device: UInt16, _ host: borrowing H
  ) throws(IOMMUError) {
    let alias = alias(of: FunctionAddress(requester: device))
    for index in 0..<description.unitCount {
      try units[index].carryOut(host, AMDCommand.interrupts(of: device))
      if let alias { try units[index].carryOut(host, AMDCommand.interrupts(of: alias)) }
    }
  }
}
