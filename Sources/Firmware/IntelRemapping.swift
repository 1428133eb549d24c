// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// The machine's IOMMUs of Intel's kind, as the DMAR lists them (VT-d 4.1, §8).
package struct IntelRemapping: Sendable {
  package static var unitCapacity: Int { 16 }
  package static var scopeCapacity: Int { 128 }
  package static var regionCapacity: Int { 16 }

  /// Bits of an address on the machine's memory bus.
  package internal(set) var addressWidth = 0
  /// Whether interrupts can be remapped (flag INTR_REMAP).
  package internal(set) var canRemapInterrupts = false
  /// Whether the firmware asks for APICs to stay as they were (flag X2APIC_OPT_OUT).
  package internal(set) var forbidsX2APIC = false
  private var units: InlineArray<16, IntelRemappingUnit> = InlineArray(repeating: IntelRemappingUnit())
  package private(set) var unitCount = 0
  private var scopes: InlineArray<128, DeviceScope> = InlineArray(repeating: DeviceScope())
  package private(set) var scopeCount = 0
  private var regions: InlineArray<16, IntelReservedRegion> = InlineArray(repeating: IntelReservedRegion())
  package private(set) var regionCount = 0

  init() {}

  /// The IOMMU `index`.
  package func unit(_ index: Int) -> IntelRemappingUnit { units[index] }
  /// The device or bridge `index`; which unit or region it belongs to, that says by `scopes`.
  package func scope(_ index: Int) -> DeviceScope { scopes[index] }
  /// The region `index` that firmware set aside for devices.
  package func region(_ index: Int) -> IntelReservedRegion { regions[index] }
}

/// One IOMMU (§8.3).
package struct IntelRemappingUnit: Sendable {
  /// Where its registers are, and how many bytes they take at least.
  package var registers = PhysicalRange(start: PhysicalAddress(0), size: 0)
  package var segment: UInt16 = 0
  /// Whether all devices of the segment are its own that no other unit names.
  package var hasAllOthers = false
  /// The devices and bridges it names.
  package var scopes = 0..<0
}

/// Memory that firmware's own use of a device needs, such as a keyboard that a management controller feigns (§8.4).
package struct IntelReservedRegion: Sendable {
  package var range = PhysicalRange(start: PhysicalAddress(0), size: 0)
  package var segment: UInt16 = 0
  /// The devices that use it.
  package var scopes = 0..<0
}

/// A device as firmware names it: by the way there, since bus numbers behind bridges may change (§8.3.1).
package struct DeviceScope: Sendable {
  package enum Kind: UInt8, Sendable {
    case endpoint = 1
    /// A bridge, and all that is behind it.
    case bridge = 2
    case ioapic = 3
    case timer = 4
    /// A device that only AML describes.
    case namespace = 5
  }

  package static var hopCapacity: Int { 8 }

  package var kind = Kind.endpoint
  /// For an I/O APIC its ID in the MADT.
  package var identifier: UInt8 = 0
  package var segment: UInt16 = 0
  package var startBus: UInt8 = 0
  /// Device and function of each step, as in the lower half of a requester's address.
  private var hops: InlineArray<8, UInt8> = InlineArray(repeating: 0)
  package private(set) var hopCount = 0

  init() {}

  /// Adds a step; `false` if there is no room.
  mutating func addHop(device: UInt8, function: UInt8) -> Bool {
    guard hopCount < Self.hopCapacity else { return false }
    hops[hopCount] = (device & 31) << 3 | function & 7
    hopCount += 1
    return true
  }

  /// Goes the way: each step but the last is a bridge, whose bus behind it `secondaryBus` knows.
  ///
  /// - Returns: `nil` if a bridge on the way is not there.
  package func resolve(_ secondaryBus: (FunctionAddress) -> UInt8?) -> FunctionAddress? {
    guard hopCount > 0 else { return nil }
    var bus = startBus
    for hop in 0..<hopCount - 1 {
      guard let next = secondaryBus(address(hop, on: bus)) else { return nil }
      bus = next
    }
    return address(hopCount - 1, on: bus)
  }

  private func address(_ hop: Int, on bus: UInt8) -> FunctionAddress {
    FunctionAddress(segment: segment, requester: UInt16(bus) << 8 | UInt16(hops[hop]))
  }
}

// MARK: - Filling

extension IntelRemapping {
  /// Adds a unit; `false` if there is no room.
  mutating func add(_ unit: IntelRemappingUnit) -> Bool {
    guard unitCount < Self.unitCapacity else { return false }
    units[unitCount] = unit
    unitCount += 1
    return true
  }

  mutating func add(_ region: IntelReservedRegion) -> Bool {
    guard regionCount < Self.regionCapacity else { return false }
    regions[regionCount] = region
    regionCount += 1
    return true
  }

  mutating func add(_ scope: DeviceScope) -> Bool {
    guard scopeCount < Self.scopeCapacity else { return false }
    scopes[scopeCount] = scope
    scopeCount += 1
    return true
  }
}
