// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
package import Firmware

/// The way to the configuration space of all functions: memory windows, the ports 0xCF8 and 0xCFC, or a test's model.
///
/// Any answer is a claim. What does not exist reads as all ones and takes no writes, as on the bus.
package protocol ConfigurationAccess {
  /// Bytes of each function's space that can be reached: 4096 through a window, 256 through the ports.
  func reach(_ function: FunctionAddress) -> Int
  /// Reads `width` bytes (1, 2 or 4) at `offset`, a multiple of the width.
  func read(_ function: FunctionAddress, _ offset: Int, width: Int) -> UInt32
  /// Writes `width` bytes (1, 2 or 4) at `offset`, a multiple of the width.
  func write(_ value: UInt32, to function: FunctionAddress, _ offset: Int, width: Int)
}

extension ConfigurationAccess {
  func read8(_ function: FunctionAddress, _ offset: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: read(function, offset, width: 1))
  }

  func read16(_ function: FunctionAddress, _ offset: Int) -> UInt16 {
    UInt16(truncatingIfNeeded: read(function, offset, width: 2))
  }

  func read32(_ function: FunctionAddress, _ offset: Int) -> UInt32 { read(function, offset, width: 4) }

  func write16(_ value: UInt16, to function: FunctionAddress, _ offset: Int) {
    write(UInt32(value), to: function, offset, width: 2)
  }

  func write32(_ value: UInt32, to function: FunctionAddress, _ offset: Int) {
    write(value, to: function, offset, width: 4)
  }

  /// Sets and clears bits of a word of 16 bits; the word is not written if it is that way already.
  func change16(_ function: FunctionAddress, _ offset: Int, set: UInt16 = 0, clear: UInt16 = 0) {
    let old = read16(function, offset)
    let new = old & ~clear | set
    if new != old { write16(new, to: function, offset) }
  }
}

extension ConfigurationWindows {
  /// Where byte `offset` of a function's space lies in memory: 4 KiB a function (PCI Express 6.0, §7.2.2); `nil` if no
  /// window has its bus.
  package func place(of function: FunctionAddress, _ offset: Int) -> PhysicalAddress? {
    guard offset >= 0, offset < 4096 else { return nil }
    for index in 0..<count {
      let window = self[index]
      guard window.segment == function.segment, window.firstBus <= function.bus, function.bus <= window.lastBus else {
        continue
      }
      return window.base + UInt64(function.requester) << 12 + UInt64(offset)
    }
    return nil
  }
}

extension FunctionAddress {
  /// What is written to port 0xCF8 so that 0xCFC is the dword at `offset` (PCI Local Bus 3.0, §3.2.2.3.2); `nil` for what
  /// the ports do not reach.
  package func portSelector(_ offset: Int) -> UInt32? {
    guard segment == 0, offset >= 0, offset < 256 else { return nil }
    return 1 << 31 | UInt32(requester) << 8 | UInt32(truncatingIfNeeded: offset & 0xfc)
  }
}
