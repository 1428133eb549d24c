// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
package import Firmware
import PCI

/// All IOMMUs of a machine with Intel's, in legacy mode (VT-d 4.1, §3.4.2).
///
/// A device is its unit's that names it, or that has all others. Domains and interrupts are common to all units.
package struct IntelIOMMU: Sendable {
  /// A device or bridge as it was found; one that is not there matches nothing.
  private struct Scope: Sendable {
    var isPresent = false
    var kind = DeviceScope.Kind.endpoint
    var identifier: UInt8 = 0
    var address = FunctionAddress(requester: 0)
    /// The buses behind it.
    var buses: ClosedRange<UInt8>?

    func covers(_ device: FunctionAddress) -> Bool {
      guard isPresent, kind == .endpoint || kind == .bridge, device.segment == address.segment else { return false }
      return device == address || buses?.contains(device.bus) == true
    }
  }

  private struct Region: Sendable {
    var range = PhysicalRange(start: PhysicalAddress(0), size: 0)
    var scopes = 0..<0
  }

  private var units: InlineArray<16, IntelUnit>
  private let unitCount: Int
  private var scopes: InlineArray<128, Scope> = InlineArray(repeating: Scope())
  private var regions: InlineArray<16, Region> = InlineArray(repeating: Region())
  private let regionCount: Int
  private let form: TableForm
  private let interrupts: IntelInterrupts?
  private var nextDomain: UInt32 = 1
  private let domainLimit: UInt32

  /// Makes the tables; nothing of the hardware changes before `enable`.
  ///
  /// - Parameters:
  ///   - usesX2APIC: Whether cores' numbers have 32 bits.
  ///   - buses: The buses behind the bridge at this address, its own first.
  package init<H: RemappingHost & ~Copyable>(
    _ description: IntelRemapping, usesX2APIC: Bool, _ host: inout H,
    buses: (FunctionAddress) -> ClosedRange<UInt8>?
  ) throws(IOMMUError) {
    for index in 0..<description.scopeCount { scopes[index] = Self.scope(description.scope(index), buses) }
    regionCount = description.regionCount
    for index in 0..<regionCount {
      let region = description.region(index)
      regions[index] = Region(range: region.range, scopes: region.scopes)
    }
    unitCount = description.unitCount
    guard unitCount > 0 else { throw .missing }
    units = InlineArray(repeating: try Self.unit(description.unit(0), &host))
    for index in 1..<max(unitCount, 1) { units[index] = try Self.unit(description.unit(index), &host) }

    var capabilities = units[0].capabilities
    var extensions = units[0].extensions
    var domainBits = capabilities.domainBits
    var deviceBits = capabilities.deviceBits
    for index in 1..<max(unitCount, 1) {
      domainBits = min(domainBits, units[index].capabilities.domainBits)
      deviceBits = min(deviceBits, units[index].capabilities.deviceBits)
      capabilities = capabilities & units[index].capabilities
      extensions = extensions & units[index].extensions
    }
    domainLimit = 1 << UInt32(min(domainBits, 16))
    form = try TableForm(capabilities, extensions, deviceBits: deviceBits, addressBits: description.addressWidth)
    let isLong = usesX2APIC && extensions.contains(.longCoreNumbers)
    interrupts =
      description.canRemapInterrupts && extensions.contains(.remapsInterrupts)
      ? try IntelInterrupts(isLong: isLong, isCoherent: extensions.contains(.coherent), &host) : nil
  }

  private static func unit<H: RemappingHost & ~Copyable>(
    _ unit: IntelRemappingUnit, _ host: inout H
  ) throws(IOMMUError) -> IntelUnit {
    try IntelUnit(
      at: unit.registers.start, segment: unit.segment, hasAllOthers: unit.hasAllOthers, scopes: unit.scopes, &host)
  }

  private static func scope(
    _ scope: DeviceScope, _ buses: (FunctionAddress) -> ClosedRange<UInt8>?
  ) -> Scope {
    guard let address = scope.resolve({ buses($0)?.lowerBound }) else { return Scope() }
    return Scope(
      isPresent: true, kind: scope.kind, identifier: scope.identifier, address: address,
      buses: scope.kind == .bridge ? buses(address) : nil)
  }

  // MARK: - Who is whose

  /// The unit that requests of `device` go through: the one that names it, or that has all others (§8.3).
  private func unit(for device: FunctionAddress) -> IntelUnit? {
    var other: Int?
    for index in 0..<unitCount where units[index].segment == device.segment {
      for scope in units[index].scopes where scopes[scope].covers(device) { return units[index] }
      if units[index].hasAllOthers { other = index }
    }
    return other.map { units[$0] }
  }

  /// Whether requests of `device` go through an IOMMU.
  package func covers(_ device: FunctionAddress) -> Bool { unit(for: device) != nil }

  /// Memory that firmware's own use of `device` needs: piece `index` of it.
  package func reservedMemory(of device: FunctionAddress, _ index: Int) -> PhysicalRange? {
    var found = 0
    for region in 0..<regionCount {
      var isIts = false
      for scope in regions[region].scopes where scopes[scope].covers(device) { isIts = true }
      guard isIts else { continue }
      if found == index { return regions[region].range }
      found += 1
    }
    return nil
  }

  // MARK: - Domains

  /// A domain in which nothing is mapped.
  package mutating func makeDomain<H: RemappingHost & ~Copyable>(_ host: inout H) throws(IOMMUError) -> DMADomain {
    guard nextDomain < domainLimit else { throw .tooManyDomains }
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
    for index in 0..<unitCount {
      let descriptor = units[index].draining(IntelDescriptor.translations(of: domain.number))
      try units[index].invalidate(host, descriptor)
    }
  }

  /// Gives `device` the memory of a domain, and nothing else.
  package func attach<H: RemappingHost & ~Copyable>(
    _ device: FunctionAddress, to domain: DMADomain, _ host: inout H
  ) throws(IOMMUError) {
    guard let unit = unit(for: device) else { throw .notCovered(device) }
    try unit.attach(device, to: domain.number, domain.table, &host)
  }

  /// Takes all memory from `device`.
  package func block<H: RemappingHost & ~Copyable>(
    _ device: FunctionAddress, _ host: borrowing H
  ) throws(IOMMUError) {
    guard let unit = unit(for: device) else { throw .notCovered(device) }
    try unit.block(device, silently: false, host)
  }

  // MARK: - Running

  /// Switches all units on: what is attached to no domain reaches nothing from now on, and no interrupt arrives that has
  /// no entry.
  package func enable<H: RemappingHost & ~Copyable>(_ host: borrowing H) throws(IOMMUError) {
    for index in 0..<unitCount { try units[index].enable(interruptTable: interrupts?.register, host) }
  }

  /// The next refused request.
  package func nextFault<H: RemappingHost & ~Copyable>(_ host: borrowing H) -> DMAFault? {
    for index in 0..<unitCount {
      if let fault = units[index].nextFault(host) { return fault }
    }
    return nil
  }

  /// Sends this message, which is not remapped, when a request was refused; after `enable`.
  package func setFaultMessage<H: RemappingHost & ~Copyable>(
    _ target: InterruptTarget, _ host: borrowing H
  ) throws(IOMMUError) {
    let message = try target.message()
    for index in 0..<unitCount { units[index].setFaultMessage(message, host) }
  }

  /// Whether messages are sent when requests were refused.
  func signalFaults<H: RemappingHost & ~Copyable>(_ isOn: Bool, _ host: borrowing H) {
    for index in 0..<unitCount { units[index].signalFaults(isOn, host) }
  }

  /// Whether refused requests of `device` are recorded; they are unless this says otherwise, until it is attached anew.
  package func recordFaults<H: RemappingHost & ~Copyable>(
    of device: FunctionAddress, _ isOn: Bool, _ host: inout H
  ) throws(IOMMUError) {
    guard let unit = unit(for: device) else { throw .notCovered(device) }
    try unit.silence(device, !isOn, &host)
  }

  // MARK: - Interrupts

  /// Whether a device can raise no interrupts but its own.
  package var remapsInterrupts: Bool { interrupts != nil }

  /// Sets up an interrupt of `source`.
  package func makeInterrupt<H: RemappingHost & ~Copyable>(
    from source: InterruptSource, to target: InterruptTarget, _ host: borrowing H
  ) throws(IOMMUError) -> RemappedInterrupt {
    let requester = try requester(of: source)
    guard let interrupts else {
      return RemappedInterrupt(message: try target.message(), requester: requester, index: nil)
    }
    let index = try interrupts.free(host)
    try interrupts.set(index, from: requester.requester, to: target, host)
    try forgetInterrupt(index, host)
    return RemappedInterrupt(message: IntelInterrupts.message(index), requester: requester, index: index)
  }

  /// Makes an interrupt arrive elsewhere, or nowhere. The message only changes if interrupts are not remapped: then it
  /// goes nowhere only as long as nobody writes it.
  package func retarget<H: RemappingHost & ~Copyable>(
    _ interrupt: inout RemappedInterrupt, to target: InterruptTarget?, _ host: borrowing H
  ) throws(IOMMUError) {
    guard let interrupts, let index = interrupt.index else {
      if let target { interrupt.message = try target.message() }
      return
    }
    try interrupts.set(index, from: interrupt.requester.requester, to: target, host)
    try forgetInterrupt(index, host)
  }

  /// Lets the interrupts of `device` arrive, or none of them; those that are refused are not recorded.
  package func admitInterrupts<H: RemappingHost & ~Copyable>(
    of device: FunctionAddress, _ isAdmitted: Bool, _ host: borrowing H
  ) throws(IOMMUError) {
    guard let interrupts else { return }
    interrupts.admit(device.requester, isAdmitted, host)
    for unit in 0..<unitCount { try units[unit].invalidate(host, IntelDescriptor.everyInterrupt) }
  }

  /// Gives the entry of an interrupt back.
  package func remove<H: RemappingHost & ~Copyable>(
    _ interrupt: RemappedInterrupt, _ host: borrowing H
  ) throws(IOMMUError) {
    guard let interrupts, let index = interrupt.index else { return }
    interrupts.clear(index, host)
    try forgetInterrupt(index, host)
  }

  private func requester(of source: InterruptSource) throws(IOMMUError) -> FunctionAddress {
    switch source {
    case .device(let device): return device
    case .ioapic(let identifier):
      for index in 0..<unitCount {
        for scope in units[index].scopes
        where scopes[scope].isPresent && scopes[scope].kind == .ioapic && scopes[scope].identifier == identifier {
          return scopes[scope].address
        }
      }
      guard interrupts == nil else { throw .unknownController(identifier) }
      return FunctionAddress(requester: 0)
    }
  }

  private func forgetInterrupt<H: RemappingHost & ~Copyable>(
    _ index: Int, _ host: borrowing H
  ) throws(IOMMUError) {
    for unit in 0..<unitCount { try units[unit].invalidate(host, IntelDescriptor.interrupt(index)) }
  }
}

extension TableForm {
  /// The form that all units know: four levels before three, which is all that some have, before five.
  init(
    _ capabilities: IntelCapabilities, _ extensions: IntelExtensions, deviceBits: Int, addressBits: Int
  ) throws(IOMMUError) {
    let levels: Int
    switch capabilities.widths {
    case let widths where widths & 1 << 2 != 0: levels = 4
    case let widths where widths & 1 << 1 != 0: levels = 3
    case let widths where widths & 1 << 3 != 0: levels = 5
    default: throw .noCommonTables
    }
    self.init(
      maker: .intel, levels: levels,
      largestLevel: !capabilities.contains(.largePages) ? 0 : capabilities.contains(.hugePages) ? 2 : 1,
      limit: 1 << UInt64(min(12 + 9 * levels, deviceBits)), physicalLimit: 1 << UInt64(min(addressBits, 52)),
      isCoherent: extensions.contains(.coherent), forcesCoherence: extensions.contains(.snoopControl))
  }
}
