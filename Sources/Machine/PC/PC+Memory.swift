// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Decoding
import Virtio

extension PC: DeviceBus {
  /// Whose page this is.
  private enum MemoryOwner {
    case localAPIC(UInt32)
    case ioAPIC(UInt32)
    case nobody

    init(_ address: UInt64, localAPIC: UInt64?) {
      let page = address & ~0xfff
      let offset = UInt32(truncatingIfNeeded: address & 0xfff)
      self = page == localAPIC ? .localAPIC(offset) : page == MemoryMap.ioAPIC ? .ioAPIC(offset) : .nobody
    }
  }

  /// Reads device memory; where no device is, all ones, as from a bus that nobody drives.
  package mutating func read(address: UInt64, width: Int) -> UInt64 {
    switch MemoryOwner(address, localAPIC: apic.isInMemory ? apic.address : nil) {
    case .localAPIC(let offset): return UInt64(apic.read(offset: offset, now: now))
    case .ioAPIC(let offset): return UInt64(ioAPIC.read(offset: offset))
    case .nobody:
      guard let index = function(atAddress: address) else { return .max }
      return touchFunction(index) { $0.readMemory(address, width: width) } ?? .max
    }
  }

  /// Writes device memory; where no device is, nothing happens.
  package mutating func write(address: UInt64, width: Int, value: UInt64) {
    let word = UInt32(truncatingIfNeeded: value)
    switch MemoryOwner(address, localAPIC: apic.isInMemory ? apic.address : nil) {
    case .localAPIC(let offset):
      carryOut(apic.write(offset: offset, value: word, now: now))
      apicChanged()
    case .ioAPIC(let offset):
      ioAPIC.write(offset: offset, value: word)
      releaseHeldLines(ofPins: ioAPIC.takeEnded())
      deliverMessages()
      routesChanged()
    case .nobody:
      guard let index = function(atAddress: address) else { return }
      _ = touchFunction(index) { $0.writeMemory(address, width: width, value: value) }
    }
  }
}
