// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
import _Volatile

/// The registers of the device that this component owns, or those of a device that is not there.
package struct DeviceRegisters {
  private let size: UInt64

  /// - Parameter information: What the kernel says of the device.
  package init(_ information: DeviceInformation) {
    size = information.isPresent != 0 ? information.registersSize : 0
  }

  /// The word at `offset`, a multiple of 4; all ones where there is none.
  package func read(_ offset: Int) -> UInt32 {
    // SAFETY: the kernel maps so many bytes of registers there, uncached.
    contains(offset) ? unsafe VolatileMappedRegister<UInt32>(unsafeBitPattern: place(offset)).load() : .max
  }

  /// Changes the word at `offset`, a multiple of 4, if there is one.
  package func write(_ value: UInt32, at offset: Int) {
    guard contains(offset) else { return }
    // SAFETY: as in `read`.
    unsafe VolatileMappedRegister<UInt32>(unsafeBitPattern: place(offset)).store(value)
  }

  private func contains(_ offset: Int) -> Bool { offset >= 0 && UInt64(offset) + 4 <= size }
  private func place(_ offset: Int) -> UInt { UInt(AddressMap.deviceRegisters) + UInt(offset) }
}
