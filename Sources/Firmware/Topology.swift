// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// The machine's processors and interrupt controllers, as the MADT lists them (ACPI 6.5, §5.2.12).
package struct Topology: Sendable {
  package static var processorCapacity: Int { 64 }
  package static var ioapicCapacity: Int { 16 }
  package static var nmiCapacity: Int { 64 }
  package static var nmiSourceCapacity: Int { 16 }

  /// Where every core finds its local APIC.
  package internal(set) var localAPIC = PhysicalAddress(0)
  /// Whether there is a pair of 8259s, to be masked.
  package internal(set) var has8259 = false
  private var apicIDs: InlineArray<64, UInt32> = InlineArray(repeating: 0)
  /// What ACPI calls each of them.
  private var uids: InlineArray<64, UInt32> = InlineArray(repeating: 0)
  /// Enabled processors, at most `processorCapacity`.
  package private(set) var processorCount = 0
  /// The highest number of an enabled processor, whether it is used or not.
  package private(set) var highestAPICID: UInt32 = 0
  /// The highest number that an interrupt can be sent to, and enabled processors above it, which stay unused.
  private let reach: UInt32
  package private(set) var unreachableProcessors = 0
  /// Enabled processors beyond the capacity, which stay unused too.
  package private(set) var ignoredProcessors = 0
  private var ioapics: InlineArray<16, IOAPICDescription> = InlineArray(repeating: IOAPICDescription())
  package private(set) var ioapicCount = 0
  /// I/O interrupt controllers beyond the capacity, whose interrupts nobody can have.
  package private(set) var ignoredControllers = 0
  /// Entries that break the rules and so were left out.
  package private(set) var badEntries = 0
  private var routes: InlineArray<16, InterruptRoute> = InlineArray(repeating: InterruptRoute(gsi: 0))
  private var nmis: InlineArray<64, LocalNMI> = InlineArray(repeating: LocalNMI())
  package private(set) var nmiCount = 0
  private var nmiSources: InlineArray<16, InterruptRoute> = InlineArray(repeating: InterruptRoute(gsi: 0))
  package private(set) var nmiSourceCount = 0

  init(reach: UInt32) {
    self.reach = reach
    for irq in 0..<16 { routes[irq] = InterruptRoute(gsi: UInt32(irq)) }
  }

  /// The APIC ID of processor `index`.
  package func apicID(_ index: Int) -> UInt32 { apicIDs[index] }

  /// The I/O interrupt controller `index`.
  package func ioapic(_ index: Int) -> IOAPICDescription { ioapics[index] }

  /// The non-maskable interrupt input `index` of local APICs.
  package func nmi(_ index: Int) -> LocalNMI { nmis[index] }

  /// How NMIs arrive at input 0 or 1 (LINT0, LINT1) of the local APIC with this number; `nil` if none do. Where the
  /// firmware names no input of any processor, it is LINT1, as on every PC.
  package func nmi(atInput input: UInt8, ofAPIC apicID: UInt32) -> LocalNMI? {
    guard nmiCount > 0 else { return input == 1 ? LocalNMI(processor: LocalNMI.everyProcessor, input: 1) : nil }
    for index in 0..<nmiCount where nmis[index].input == input {
      if nmis[index].processor == LocalNMI.everyProcessor { return nmis[index] }
      for place in 0..<processorCount where apicIDs[place] == apicID {
        if uids[place] == nmis[index].processor { return nmis[index] }
      }
    }
    return nil
  }

  /// The interrupt `index` that is non-maskable, and no device's (§5.2.12.6).
  package func nmiSource(_ index: Int) -> InterruptRoute { nmiSources[index] }

  /// Where ISA interrupt `irq` (0 to 15) arrives: at the GSI of its number, edge-triggered and active high, unless the
  /// firmware says otherwise (§5.2.12.5).
  package func route(isa irq: UInt8) -> InterruptRoute? { irq < 16 ? routes[Int(irq)] : nil }

  /// The index of the I/O interrupt controller whose inputs begin at or below `gsi`, the nearest one; how many inputs
  /// it has, only its own registers say.
  package func ioapic(for gsi: UInt32) -> Int? {
    var found: Int?
    for index in 0..<ioapicCount where ioapics[index].gsiBase <= gsi {
      if let best = found, ioapics[best].gsiBase >= ioapics[index].gsiBase { continue }
      found = index
    }
    return found
  }
}

/// An I/O interrupt controller.
package struct IOAPICDescription: Equatable, Sendable, BitwiseCopyable {
  package var id: UInt8 = 0
  package var address = PhysicalAddress(0)
  /// The global system interrupt of its first input.
  package var gsiBase: UInt32 = 0
}

/// Where an interrupt line arrives and how it signals.
package struct InterruptRoute: Equatable, Sendable, BitwiseCopyable {
  package var gsi: UInt32
  package var isActiveLow = false
  package var isLevelTriggered = false

  package init(gsi: UInt32, isActiveLow: Bool = false, isLevelTriggered: Bool = false) {
    self.gsi = gsi
    self.isActiveLow = isActiveLow
    self.isLevelTriggered = isLevelTriggered
  }
}

/// The input of a local APIC that NMIs arrive at.
package struct LocalNMI: Equatable, Sendable, BitwiseCopyable {
  /// The ACPI processor's UID; `everyProcessor` for all.
  package var processor: UInt32 = 0
  /// LINT0 or LINT1.
  package var input: UInt8 = 0
  package var isActiveLow = false
  package var isLevelTriggered = false

  package static var everyProcessor: UInt32 { 0xffff_ffff }
}

// MARK: - Filling

extension Topology {
  /// Adds an enabled processor; one that is listed twice, as APIC and as x2APIC, counts once.
  mutating func addProcessor(apicID: UInt32, uid: UInt32) {
    highestAPICID = max(highestAPICID, apicID)
    guard apicID <= reach else {
      unreachableProcessors &+= 1
      return
    }
    for index in 0..<processorCount where apicIDs[index] == apicID { return }
    guard processorCount < Self.processorCapacity else {
      ignoredProcessors &+= 1
      return
    }
    apicIDs[processorCount] = apicID
    uids[processorCount] = uid
    processorCount += 1
  }

  mutating func noteBadEntry() { badEntries &+= 1 }

  /// Adds an I/O interrupt controller; `false` if another has its address or its first interrupt already.
  mutating func addIOAPIC(_ ioapic: IOAPICDescription) -> Bool {
    for index in 0..<ioapicCount {
      if ioapics[index].address == ioapic.address || ioapics[index].gsiBase == ioapic.gsiBase { return false }
    }
    guard ioapicCount < Self.ioapicCapacity else {
      ignoredControllers &+= 1
      return true
    }
    ioapics[ioapicCount] = ioapic
    ioapicCount += 1
    return true
  }

  /// Moves an ISA interrupt; those above 15 do not exist.
  mutating func setRoute(isa irq: UInt8, _ route: InterruptRoute) {
    if irq < 16 { routes[Int(irq)] = route }
  }

  /// Adds an interrupt that is non-maskable; those beyond the capacity stay masked.
  mutating func addNMISource(_ route: InterruptRoute) {
    guard nmiSourceCount < Self.nmiSourceCapacity else { return }
    nmiSources[nmiSourceCount] = route
    nmiSourceCount += 1
  }

  /// Adds an NMI input; those beyond the capacity stay masked.
  mutating func addNMI(_ nmi: LocalNMI) {
    guard nmiCount < Self.nmiCapacity else { return }
    nmis[nmiCount] = nmi
    nmiCount += 1
  }
}
