// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import CX86
import Firmware
import Processors
import X86

/// What ACPI's fixed tables say of the machine; what they leave out is as on a PC of old. What is wrong with them is in
/// the log: the machine starts without what a bad table describes, if it can.
struct MachineDescription {
  let topology: Topology
  let hpet: HPETDescription?
  let fixed: FixedDescription?
  /// Where configuration space is in memory; `nil` where the firmware does not say.
  let windows: ConfigurationWindows?
  /// The IOMMUs there are; `nil` where the firmware names none, or too badly.
  let remapping: RemappingDescription?
  /// The serial port of the firmware's own console.
  let redirection: SerialRedirection?
  /// How cores talk to their local APICs.
  let apicMode: APICMode
  /// Which processors are one core; and the number of this one.
  let threads: ThreadLayout

  init(
    rsdp: PhysicalAddress?, _ physical: borrowing MachineMemory, _ features: ProcessorFeatures, wantsX2APIC: Bool
  ) throws(BootError) {
    // A borrowed value cannot be looked at by closures.
    let memory = copy physical
    threads = ThreadLayout { CPUIDAnswer($0, $1) }
    do throws(ACPIError) {
      let tables = try SystemTables(rsdp: rsdp, in: memory)
      Self.reportSums(tables, memory)
      hpet = Self.optional { () throws(ACPIError) in try HPETDescription(tables, in: memory) }
      fixed = Self.optional { () throws(ACPIError) in try FixedDescription(tables, in: memory) }
      windows = Self.optional { () throws(ACPIError) in try ConfigurationWindows(tables, in: memory) }
      redirection = Self.optional { () throws(ACPIError) in try SerialRedirection(tables, in: memory) }
      remapping = RemappingDescription.find(tables, memory)
      var conditions = APICConditions(
        base: MSR.apicBase.value, hasRegisters: features.hasX2APIC,
        highestNumber: try Topology(tables, in: memory).highestAPICID)
      conditions.isWanted = wantsX2APIC
      conditions.isUnwelcome = remapping?.forbidsX2APIC ?? false
      apicMode = conditions.mode
      topology = try Topology(tables, in: memory, reach: apicMode.highestNumber)
    } catch {
      throw .line(error.line)
    }
    Self.reportProcessors(topology)
    guard topology.ioapicCount > 0 else { throw .refused("the firmware's tables name no I/O interrupt controller") }
    guard apicMode == .registers || topology.localAPIC.value < 4 * .GiB else {
      throw .refused("the local interrupt controllers are above 4 GiB")
    }
    for index in 0..<topology.ioapicCount where topology.ioapic(index).address.value >= 4 * .GiB {
      throw .refused("an I/O interrupt controller is above 4 GiB")
    }
  }

  /// Calls `body` with the registers that the kernel itself works with.
  func eachRegisters(_ body: (PhysicalRange) -> Void) {
    if apicMode != .registers { body(PhysicalRange(start: topology.localAPIC, size: 4096)) }
    for index in 0..<topology.ioapicCount {
      body(PhysicalRange(start: topology.ioapic(index).address, size: 4096))
    }
    if let hpet { body(PhysicalRange(start: hpet.address, size: 1024)) }
    remapping?.eachUnit(body)
    if let windows {
      for index in 0..<windows.count { body(windows[index].range) }
    }
  }

  /// Where no device may be, whatever it says: in memory as firmware's map claims it, in the registers that the tables
  /// name, and in what firmware set aside.
  func taken(_ map: MemoryMap) -> TakenRanges {
    var taken = TakenRanges(map)
    taken.take(PhysicalRange(start: topology.localAPIC, size: MemoryMap.pageSize))
    for index in 0..<topology.ioapicCount {
      taken.take(PhysicalRange(start: topology.ioapic(index).address, size: MemoryMap.pageSize))
    }
    if let hpet { taken.take(PhysicalRange(start: hpet.address, size: MemoryMap.pageSize)) }
    for index in 0..<(windows?.count ?? 0) { if let windows { taken.take(windows[index].range) } }
    remapping?.eachUnit { taken.take($0) }
    remapping?.eachReservedRange { taken.take($0) }
    // A power management block has up to 256 ports, on a border of its size.
    let ports: InlineArray<3, UInt16?> = [fixed?.timerPort, fixed?.controlPort, fixed?.resetRegister?.port]
    for index in 0..<3 {
      guard let port = ports[index] else { continue }
      let first = UInt64(port).roundedDown(to: 256)
      taken.take(ports: first..<first + 256)
    }
    if let port = redirection?.port { taken.take(ports: UInt64(port)..<UInt64(port) + 8) }
    return taken
  }

  /// The core this code runs on, and the others after it; or, if it is to be spared, the others alone.
  func apicID(ofCore index: Int, sparingThis: Bool) -> UInt32 {
    var place = sparingThis ? -1 : 0
    for processor in 0..<topology.processorCount where topology.apicID(processor) != threads.number {
      place += 1
      if place == index { return topology.apicID(processor) }
    }
    return threads.number
  }

  /// Where a device's interrupt arrives: an ISA interrupt where the MADT says, a GSI as PCI lines are.
  func route(of record: InterruptRecord) -> InterruptRoute {
    if record.isISA != 0, let route = topology.route(isa: UInt8(truncatingIfNeeded: record.source)) { return route }
    return InterruptRoute(gsi: record.source, isActiveLow: true, isLevelTriggered: true)
  }
}

// MARK: - What is wrong

extension MachineDescription {
  /// What is read, or `nil`, with a line in the log unless the table is only not there.
  private static func optional<Result>(_ read: () throws(ACPIError) -> Result) -> Result? {
    do throws(ACPIError) { return try read() } catch {
      if error.reason != .missing { log(.warning, "\(error.line); it is not used") }
      return nil
    }
  }

  /// Tables with a wrong sum are used: who reads them checks every entry.
  private static func reportSums(_ tables: borrowing SystemTables, _ memory: borrowing MachineMemory) {
    if let problem = tables.listProblem { log(.warning, "\(problem.line); it is used all the same") }
    for index in 0..<7 {
      let signature: TableSignature =
        switch index {
        case 0: .madt
        case 1: .hpet
        case 2: .fadt
        case 3: .mcfg
        case 4: .dmar
        case 5: .ivrs
        default: .spcr
        }
      guard let problem = tables.problem(signature, in: memory), problem.reason == .badChecksum else { continue }
      log(.warning, "\(problem.line); it is used all the same")
    }
  }

  /// Says which processors and controllers are not used.
  private static func reportProcessors(_ topology: Topology) {
    if topology.badEntries > 0 {
      log(.warning, "ACPI table APIC: \(topology.badEntries) entries cannot be, and are left out")
    }
    if topology.ignoredControllers > 0 {
      log(
        .warning,
        "\(topology.ignoredControllers) I/O interrupt controllers beyond \(Topology.ioapicCapacity) are not used")
    }
    if topology.unreachableProcessors > 0 {
      log(
        .warning,
        "\(topology.unreachableProcessors) processors have numbers above 254, for which x2APIC is missing: they stay idle"
      )
    }
    if topology.ignoredProcessors > 0 {
      let all = topology.processorCount + topology.ignoredProcessors
      log(.warning, "there are \(all) processors; those beyond the first \(Topology.processorCapacity) stay idle")
    }
  }
}

extension CPUIDAnswer {
  /// This processor's answer to CPUID.
  init(_ number: UInt32, _ part: UInt32) {
    let answer = cx86_cpuid(number, part)
    self.init(eax: answer.eax, ebx: answer.ebx, ecx: answer.ecx, edx: answer.edx)
  }
}
