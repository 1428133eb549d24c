// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Firmware

/// The IOMMUs that the firmware names, whoever made them.
enum RemappingDescription {
  case intel(IntelRemapping)
  case amd(AMDRemapping)

  /// - Returns: `nil` if the firmware names none, or what it says cannot be used, which is then in the log.
  static func find(_ tables: borrowing SystemTables, _ memory: borrowing MachineMemory) -> RemappingDescription? {
    var found: RemappingDescription?
    do throws(ACPIError) { found = .intel(try IntelRemapping(tables, in: memory)) } catch { explain(error) }
    if found == nil {
      do throws(ACPIError) { found = .amd(try AMDRemapping(tables, in: memory)) } catch { explain(error) }
    }
    guard let found, !found.isOutOfReach else {
      if found != nil {
        log(.warning, "IOMMU: its registers are beyond all addresses of this processor; it is not used")
      }
      return nil
    }
    return found
  }

  private static func explain(_ error: ACPIError) {
    if error.reason != .missing { log(.warning, "\(error.line): there is no IOMMU") }
  }

  /// Whether the firmware asks for local APICs to stay as they were of old.
  var forbidsX2APIC: Bool { if case .intel(let intel) = self { intel.forbidsX2APIC } else { false } }

  /// Whether a unit's registers are where this processor has no addresses.
  private var isOutOfReach: Bool {
    var isFar = false
    eachUnit { if !fits($0.start.value, count: $0.size, in: DeviceMap.end.value) { isFar = true } }
    return isFar
  }

  /// Calls `body` with the registers of each unit.
  func eachUnit(_ body: (PhysicalRange) -> Void) {
    switch self {
    case .intel(let intel):
      for index in 0..<intel.unitCount { body(intel.unit(index).registers) }
    case .amd(let amd):
      for index in 0..<amd.unitCount { body(PhysicalRange(start: amd.unit(index).registers, size: 512 * .KiB)) }
    }
  }

  /// Calls `body` with each piece of memory that firmware set aside for devices.
  func eachReservedRange(_ body: (PhysicalRange) -> Void) {
    switch self {
    case .intel(let intel):
      for index in 0..<intel.regionCount { body(intel.region(index).range) }
    case .amd(let amd):
      for index in 0..<amd.regionCount { body(amd.region(index).range) }
    }
  }
}
