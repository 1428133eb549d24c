// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Firmware
import IOMMU
import X86
import _Volatile

/// What the driver of the IOMMUs needs of the kernel: pages as long as it boots, and the way to registers.
struct RemappingMemory: RemappingHost {
  /// Where pages come from; `nil` once the machine runs.
  var source: BootMemory?
  let scale: TimeScale
  let registers: Cell<RegisterMap>

  mutating func allocatePages(_ count: Int) -> PhysicalAddress? {
    let size = UInt64(count) * 4096
    return try? source?.bytes(size, alignment: size)
  }

  func read(_ address: PhysicalAddress) -> UInt64 { Self.word(address).load() }

  func write(_ value: UInt64, at address: PhysicalAddress) { Self.word(address).store(value) }

  func flush(_ address: PhysicalAddress, count: UInt64) {
    var line = address.value.roundedDown(to: 64)
    while line < address.value &+ count {
      // SAFETY: the direct map holds the pages that were allocated here; the instruction changes no memory.
      unsafe cx86_flush_line(DirectMap.pointer(PhysicalAddress(line)))
      line += 64
    }
    cx86_fence()
  }

  func readRegister(_ address: PhysicalAddress, width: Int) -> UInt64 {
    DeviceRegister(address, width: width, in: registers)?.read(width: width) ?? .max
  }

  func writeRegister(_ value: UInt64, at address: PhysicalAddress, width: Int) {
    DeviceRegister(address, width: width, in: registers)?.write(value, width: width)
  }

  var now: UInt64 { scale.nanoseconds(ofTicks: cx86_rdtsc()) }

  private static func word(_ address: PhysicalAddress) -> VolatileMappedRegister<UInt64> {
    // SAFETY: the direct map holds the pages that were allocated here, and words are aligned.
    unsafe VolatileMappedRegister(unsafeBitPattern: UInt(bitPattern: DirectMap.pointer(address)))
  }
}
