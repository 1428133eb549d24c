// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware

/// What the firmware's tables say, read as the kernel reads them.
struct FirmwareSurvey: Sendable {
  private(set) var topology: Topology?
  private(set) var intel: IntelRemapping?
  private(set) var amd: AMDRemapping?
  private(set) var windows: ConfigurationWindows?
  private(set) var hasHPET = false
  /// Tables that could not be used, in the kernel's words.
  private(set) var problems: [String] = []

  init(_ files: MachineFiles) {
    let folder = "sys/firmware/acpi/tables"
    let memory = TableMemory(files.names(in: folder).compactMap { files["\(folder)/\($0)"] })
    do throws(ACPIError) {
      let tables = try SystemTables(rsdp: TableMemory.root, in: memory)
      topology = note { () throws(ACPIError) in try Topology(tables, in: memory) }
      intel = note { () throws(ACPIError) in try IntelRemapping(tables, in: memory) }
      amd = note { () throws(ACPIError) in try AMDRemapping(tables, in: memory) }
      windows = note { () throws(ACPIError) in try ConfigurationWindows(tables, in: memory) }
      hasHPET = (try? tables.find(.hpet, in: memory)) != nil
    } catch {
      problems.append(String(error.line))
    }
  }

  /// What is read, or `nil` and a line about it unless the table is only not there.
  private mutating func note<Result>(_ read: () throws(ACPIError) -> Result) -> Result? {
    do throws(ACPIError) {
      return try read()
    } catch {
      if error.reason != .missing { problems.append(String(error.line)) }
      return nil
    }
  }

  /// The I/O APICs, in the order of their interrupts.
  var ioapics: [IOAPICDescription] {
    guard let topology else { return [] }
    return (0..<topology.ioapicCount).map { topology.ioapic($0) }.sorted { $0.gsiBase < $1.gsiBase }
  }

  var unitCount: Int { (intel?.unitCount ?? 0) + amdUnits }

  /// AMD's, each once: a table may name one in several forms.
  private var amdUnits: Int {
    guard let amd else { return 0 }
    return Set((0..<amd.unitCount).map { amd.unit($0).registers.value }).count
  }

  /// Whether the firmware offers that interrupts are remapped: as the kernel has it, by a flag of the DMAR, or by an I/O
  /// APIC that the IVRS names.
  var remapsInterrupts: Bool {
    if let intel { return intel.canRemapInterrupts }
    guard let amd else { return false }
    return (0..<amd.controllerCount).contains { amd.controller($0).isIOAPIC }
  }
}
