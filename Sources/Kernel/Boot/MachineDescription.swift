// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Firmware

/// The IOMMUs that the firmware names, whoever made them.
enum RemappingDescription {
  case intel(IntelRemapping)
  case amd(AMDRemapping)

  init?(_ tables: borrowing SystemTables, _ memory: borrowing MachineMemory) {
    if let intel = try? IntelRemapping(tables, in: memory) {
      self = .intel(intel)
    } else if let amd = try? AMDRemapping(tables, in: memory) {
      self = .amd(amd)
    } else {
      return nil
    }
  }

  /// Whether the range holds registers of one of them.
  func isOwn(_ range: PhysicalRange) -> Bool {
    switch self {
    case .intel(let intel):
      for index in 0..<intel.unitCount where intel.unit(index).registers.overlaps(range) { return true }
    case .amd(let amd):
      for index in 0..<amd.unitCount
      where PhysicalRange(start: amd.unit(index).registers, size: 512 * .KiB).overlaps(range) {
        return true
      }
    }
    return false
  }
}

/// What ACPI's fixed tables say of the machine; what they leave out is as on a PC of old.
struct MachineDescription {
  let topology: Topology
  let hpet: HPETDescription?
  let fixed: FixedDescription?
  /// Where configuration space is in memory; `nil` where the firmware does not say.
  let windows: ConfigurationWindows?
  /// The IOMMUs there are; `nil` where the firmware names none, or too badly.
  let remapping: RemappingDescription?

  init(rsdp: PhysicalAddress?, _ memory: borrowing MachineMemory) throws(BootError) {
    do throws(ACPIError) {
      let tables = try SystemTables(rsdp: rsdp, in: memory)
      topology = try Topology(tables, in: memory)
      hpet = try? HPETDescription(tables, in: memory)
      fixed = try? FixedDescription(tables, in: memory)
      windows = try? ConfigurationWindows(tables, in: memory)
      remapping = RemappingDescription(tables, memory)
    } catch {
      throw .line(error.line)
    }
    guard topology.ioapicCount > 0 else { throw .refused("the firmware's tables name no I/O interrupt controller") }
    guard topology.localAPIC.value < 4 * .GiB else { throw .refused("the local interrupt controllers are above 4 GiB") }
    for index in 0..<topology.ioapicCount where topology.ioapic(index).address.value >= 4 * .GiB {
      throw .refused("an I/O interrupt controller is above 4 GiB")
    }
  }

  /// Whether a page that a device answers at is the kernel's own.
  func isOwn(_ range: PhysicalRange) -> Bool {
    if range.overlaps(PhysicalRange(start: topology.localAPIC, size: 4096)) { return true }
    for index in 0..<topology.ioapicCount
    where range.overlaps(PhysicalRange(start: topology.ioapic(index).address, size: 4096)) {
      return true
    }
    return remapping?.isOwn(range) ?? false
  }

  /// The core this code runs on, and the others after it; or, if it is to be spared, the others alone.
  func apicID(ofCore index: Int, sparingThis: Bool) -> UInt32 {
    let own = cx86_cpuid(1, 0).ebx >> 24
    var place = sparingThis ? -1 : 0
    for processor in 0..<topology.processorCount where topology.apicID(processor) != own {
      place += 1
      if place == index { return topology.apicID(processor) }
    }
    return own
  }

  /// Where a device's interrupt arrives: an ISA interrupt where the MADT says, a GSI as PCI lines are.
  func route(of record: InterruptRecord) -> InterruptRoute {
    if record.isISA != 0, let route = topology.route(isa: UInt8(truncatingIfNeeded: record.source)) { return route }
    return InterruptRoute(gsi: record.source, isActiveLow: true, isLevelTriggered: true)
  }
}
