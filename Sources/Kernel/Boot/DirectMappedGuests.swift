// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import Firmware

/// The guests whose memory is direct-mapped (`LowMemory`): those with a device that no IOMMU translates for, where the
/// description allows that. Their devices reach all memory all the same.
struct DirectMappedGuests {
  /// The machine's address of the memory of each, by VM; 0 for all others.
  private(set) var bases: InlineArray<16, UInt64> = InlineArray(repeating: 0)

  /// `LowMemory.base` of a VM's memory.
  func base(ofGuest number: Int) -> UInt64 { bases.indices.contains(number) ? bases[number] : 0 }

  /// Deals out their memory: as low as there is room, since a 32-bit kernel must lie below 512 MiB.
  init(_ reader: borrowing BootImage, _ bus: MachineBus, _ memory: inout BootMemory) {
    for index in 0..<reader.count(.devices) {
      let record = reader.device(index)
      guard record.kind == PCIDeviceKind.passthrough.rawValue, record.isUnprotected != 0,
        let function = bus.functions.span.index(of: FunctionAddress(record.address)), !bus.isCovered(function)
      else { continue }
      let guest = reader.guest(ofDomain: Int(record.domain))
      guard bases.indices.contains(guest), bases[guest] == 0 else { continue }
      bases[guest] = Self.place(Int(record.domain), reader, &memory) ?? 0
    }
  }

  /// The start of a VM's memory; `nil` if there is no room for it, which is reported.
  private static func place(_ domain: Int, _ reader: borrowing BootImage, _ memory: inout BootMemory) -> UInt64? {
    let name = reader.domain(domain).name
    var size: UInt64 = 0
    for index in 0..<reader.count(.guestMappings) {
      let mapping = reader.guestMapping(index)
      guard mapping.domain == UInt32(domain), mapping.isOverlay == 0 else { continue }
      guard mapping.address == 0 else {
        log(.error, "\(name): with a device behind no IOMMU a VM has at most 3 GiB of memory")
        return nil
      }
      size = reader.region(Int(mapping.region)).size
    }
    let end = PhysicalAddress(PassedDevice.window.lowerBound)
    guard let start = memory.map.allocateLowest(size: size, alignment: LowMemory.headSize, below: end) else {
      log(.error, "\(name): with a device behind no IOMMU it needs its \(size >> 20) MiB in one piece below 3 GiB,")
      log(.error, "  at the machine's own addresses, and this machine has no such place free: give it less memory")
      return nil
    }
    return start.value
  }
}

/// The pieces of a region of guest memory: where the guest has each, and where the machine.
struct GuestPieces {
  private let address: UInt64
  private let extent: PhysicalExtent
  private let low: LowMemory

  /// - Parameter address: Where the description puts the region.
  init(_ address: UInt64, _ extent: PhysicalExtent, base: UInt64) {
    self.address = address
    self.extent = extent
    low = LowMemory(size: extent.size, base: address == 0 ? base : 0)
  }

  func each<E: Error>(_ body: (_ address: UInt64, _ extent: PhysicalExtent) throws(E) -> Void) throws(E) {
    let head = low.sizeFromZero
    try body(address, PhysicalExtent(start: extent.start, size: head))
    guard head < extent.size else { return }
    try body(low.bodyStart, PhysicalExtent(start: extent.start + head, size: extent.size - head))
  }
}
