// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import CX86
import Firmware
import _Volatile

/// Held while the two ports of configuration space are used: the first says what the second is about.
private let configurationPorts = Spinlock()

/// The way to the configuration space of this machine's PCI functions: by memory windows, or where the firmware names
/// none by the ports that every PC has.
struct BusAccess: ConfigurationAccess {
  private let windows: ConfigurationWindows?

  /// Windows above 4 GiB are out of the reach of the kernel's device mapping. Where segment 0 has none below, the ports
  /// serve, which show that segment alone.
  init(_ windows: ConfigurationWindows?) {
    let reachable = windows?.reachable(below: 4 * .GiB)
    self.windows = reachable.flatMap { $0.shows(segment: 0) ? $0 : nil }
    if let ignored = reachable?.ignored, ignored > 0 {
      log(.warning, "PCI: \(ignored) windows of configuration space cannot be used: their buses are not seen")
    } else if windows != nil, self.windows == nil {
      log(.warning, "PCI: no window of segment 0 can be used; the ports show 256 bytes of each function there")
    }
  }

  /// All functions of the machine, one after the other.
  var scan: PCIScan { PCIScan(windows) }

  func reach(_ function: FunctionAddress) -> Int { windows?.place(of: function, 0) == nil ? 256 : 4096 }

  func read(_ function: FunctionAddress, _ offset: Int, width: Int) -> UInt32 {
    if let windows {
      guard let place = windows.place(of: function, offset) else { return .max }
      return DeviceRegister(place).read(width: width)
    }
    guard let selector = function.portSelector(offset) else { return .max }
    let port = 0xcfc + UInt16(offset & 3)
    var value = UInt32.max
    configurationPorts.hold {
      cx86_out32(0xcf8, selector)
      switch width {
      case 1: value = UInt32(cx86_in8(port))
      case 2: value = UInt32(cx86_in16(port))
      default: value = cx86_in32(port)
      }
    }
    return value
  }

  func write(_ value: UInt32, to function: FunctionAddress, _ offset: Int, width: Int) {
    if let windows {
      guard let place = windows.place(of: function, offset) else { return }
      return DeviceRegister(place).write(value, width: width)
    }
    guard let selector = function.portSelector(offset) else { return }
    let port = 0xcfc + UInt16(offset & 3)
    configurationPorts.hold {
      cx86_out32(0xcf8, selector)
      switch width {
      case 1: cx86_out8(port, UInt8(truncatingIfNeeded: value))
      case 2: cx86_out16(port, UInt16(truncatingIfNeeded: value))
      default: cx86_out32(port, value)
      }
    }
  }
}

/// A device register in memory, below 4 GiB.
struct DeviceRegister {
  private let address: UInt

  // SAFETY: the pointer is only looked at, not followed.
  init(_ place: PhysicalAddress) { address = unsafe UInt(bitPattern: DirectMap.device(place)) }

  func read(width: Int) -> UInt32 {
    // SAFETY: the first 4 GiB are mapped uncached for device registers, and a window's pages are such.
    switch width {
    case 1: unsafe UInt32(VolatileMappedRegister<UInt8>(unsafeBitPattern: address).load())
    case 2: unsafe UInt32(VolatileMappedRegister<UInt16>(unsafeBitPattern: address).load())
    default: unsafe VolatileMappedRegister<UInt32>(unsafeBitPattern: address).load()
    }
  }

  func write(_ value: UInt32, width: Int) {
    // SAFETY: as in `read`.
    switch width {
    case 1: unsafe VolatileMappedRegister<UInt8>(unsafeBitPattern: address).store(UInt8(truncatingIfNeeded: value))
    case 2: unsafe VolatileMappedRegister<UInt16>(unsafeBitPattern: address).store(UInt16(truncatingIfNeeded: value))
    default: unsafe VolatileMappedRegister<UInt32>(unsafeBitPattern: address).store(value)
    }
  }
}
