// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// The machine's IOMMUs of AMD's kind, as the IVRS lists them (AMD I/O Virtualization 3.08, §5.2).
package struct AMDRemapping: Sendable {
  package static var unitCapacity: Int { 16 }
  package static var deviceCapacity: Int { 128 }
  package static var controllerCapacity: Int { 32 }
  package static var regionCapacity: Int { 16 }

  private var units: InlineArray<16, AMDRemappingUnit> = InlineArray(repeating: AMDRemappingUnit())
  package private(set) var unitCount = 0
  private var devices: InlineArray<128, AMDDeviceRange> = InlineArray(repeating: AMDDeviceRange())
  package private(set) var deviceCount = 0
  private var controllers: InlineArray<32, AMDInterruptSource> = InlineArray(repeating: AMDInterruptSource())
  package private(set) var controllerCount = 0
  private var regions: InlineArray<16, AMDReservedRegion> = InlineArray(repeating: AMDReservedRegion())
  package private(set) var regionCount = 0

  init() {}

  /// The IOMMU `index`.
  package func unit(_ index: Int) -> AMDRemappingUnit { units[index] }
  /// The devices `index` that one of the units is for.
  package func devices(_ index: Int) -> AMDDeviceRange { devices[index] }
  /// The interrupt controller or timer `index`.
  package func controller(_ index: Int) -> AMDInterruptSource { controllers[index] }
  /// The region `index` that firmware set aside for devices.
  package func region(_ index: Int) -> AMDReservedRegion { regions[index] }
}

/// One IOMMU (§5.2.2.1).
package struct AMDRemappingUnit: Sendable {
  package var registers = PhysicalAddress(0)
  /// The IOMMU as a PCI function, and where its capability is.
  package var function = FunctionAddress(requester: 0)
  package var capability: UInt16 = 0
  /// How its own requests are to travel: tunnelled, past posted ones, isochronous (bits 0 to 3).
  package var flags: UInt8 = 0
}

/// Devices from `first` to `last`, as an IVHD's entries name them (§5.2.2.2).
package struct AMDDeviceRange: Sendable {
  /// The unit that their requests go through.
  package var unit = 0
  package var first: UInt16 = 0
  package var last: UInt16 = 0
  /// Whose name their requests carry; `nil` for their own.
  package var alias: UInt16?
}

/// An interrupt controller, or the high-precision event timer: whose messages come from the address of a device.
package struct AMDInterruptSource: Sendable {
  package var unit = 0
  package var isIOAPIC = true
  /// For an I/O APIC its ID in the MADT.
  package var identifier: UInt8 = 0
  package var device: UInt16 = 0
  /// Which other messages go through unchanged: INIT, ExtInt, NMI, and the local inputs (§5.2.2.3).
  package var settings: UInt8 = 0
}

/// Memory that firmware's own use of devices needs (§5.2.2.7).
package struct AMDReservedRegion: Sendable {
  package var range = PhysicalRange(start: PhysicalAddress(0), size: 0)
  package var segment: UInt16 = 0
  package var first: UInt16 = 0
  package var last: UInt16 = 0
}

extension AMDRemapping {
  /// What it says of one PCI segment alone.
  package func only(segment: UInt16) -> AMDRemapping {
    var result = AMDRemapping()
    for index in 0..<unitCount where units[index].function.segment == segment {
      // There is room: the whole has as much.
      _ = result.add(units[index])
      let unit = result.unitCount - 1
      for place in 0..<deviceCount where devices[place].unit == index {
        var range = devices[place]
        range.unit = unit
        _ = result.add(range)
      }
      for place in 0..<controllerCount where controllers[place].unit == index {
        var controller = controllers[place]
        controller.unit = unit
        _ = result.add(controller)
      }
    }
    for index in 0..<regionCount where regions[index].segment == segment { _ = result.add(regions[index]) }
    return result
  }
}

// MARK: - Filling

extension AMDRemapping {
  /// Adds a unit; `false` if there is no room.
  mutating func add(_ unit: AMDRemappingUnit) -> Bool {
    guard unitCount < Self.unitCapacity else { return false }
    units[unitCount] = unit
    unitCount += 1
    return true
  }

  mutating func add(_ range: AMDDeviceRange) -> Bool {
    guard deviceCount < Self.deviceCapacity else { return false }
    devices[deviceCount] = range
    deviceCount += 1
    return true
  }

  mutating func add(_ controller: AMDInterruptSource) -> Bool {
    guard controllerCount < Self.controllerCapacity else { return false }
    controllers[controllerCount] = controller
    controllerCount += 1
    return true
  }

  mutating func add(_ region: AMDReservedRegion) -> Bool {
    guard regionCount < Self.regionCapacity else { return false }
    regions[regionCount] = region
    regionCount += 1
    return true
  }
}
