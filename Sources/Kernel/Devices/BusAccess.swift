// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import CX86
import Firmware

/// Held while the two ports of configuration space are used: the first says what the second is about.
private let configurationPorts = Spinlock()

/// The ports of configuration space, which every PC has: they show segment 0, and 256 bytes of each function.
struct ConfigurationPorts: ConfigurationAccess {
  /// Takes the bus from what firmware left as its master, before any memory is dealt out.
  /// - Returns: How many functions that were.
  func takeBus() -> Int {
    var scan = PCIScan(nil)
    return scan.takeBus(in: self)
  }

  func reach(_ function: FunctionAddress) -> Int { 256 }

  func read(_ function: FunctionAddress, _ offset: Int, width: Int) -> UInt32 {
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

/// The way to the configuration space of this machine's PCI functions: by memory windows, or where the firmware names
/// none by the ports that every PC has.
struct BusAccess: ConfigurationAccess {
  private let windows: ConfigurationWindows?
  /// Where the kernel has the windows, and other registers.
  let registers: Cell<RegisterMap>

  /// Windows where this processor has no addresses are not used. Where segment 0 has no other, the ports serve, which show
  /// that segment alone.
  init(_ windows: ConfigurationWindows?, _ registers: Cell<RegisterMap>) {
    self.registers = registers
    let reachable = windows?.reachable(below: DeviceMap.end.value)
    self.windows = reachable.flatMap { $0.shows(segment: 0) ? $0 : nil }
    if let ignored = reachable?.ignored, ignored > 0 {
      log(.warning, "PCI: \(ignored) windows of configuration space cannot be used: their buses are not seen")
    } else if windows != nil, self.windows == nil {
      log(.warning, "PCI: no window of segment 0 can be used; the ports show 256 bytes of each function there")
    }
  }

  /// All functions of the machine, one after the other.
  var scan: PCIScan { PCIScan(windows) }

  /// Takes the bus from what firmware left as its master in segments that windows alone show.
  /// - Returns: How many functions that were.
  func takeBusOfOtherSegments() -> Int {
    guard let windows else { return 0 }
    for index in 0..<windows.count where windows[index].segment != 0 {
      var scan = self.scan
      return scan.takeBus(in: self)
    }
    return 0
  }

  func reach(_ function: FunctionAddress) -> Int { windows?.place(of: function, 0) == nil ? 256 : 4096 }

  func read(_ function: FunctionAddress, _ offset: Int, width: Int) -> UInt32 {
    if let windows {
      guard let register = register(function, offset, width, windows) else { return .max }
      return UInt32(truncatingIfNeeded: register.read(width: width))
    }
    return ConfigurationPorts().read(function, offset, width: width)
  }

  func write(_ value: UInt32, to function: FunctionAddress, _ offset: Int, width: Int) {
    if let windows {
      register(function, offset, width, windows)?.write(UInt64(value), width: width)
      return
    }
    ConfigurationPorts().write(value, to: function, offset, width: width)
  }

  private func register(
    _ function: FunctionAddress, _ offset: Int, _ width: Int, _ windows: ConfigurationWindows
  ) -> DeviceRegister? {
    guard let place = windows.place(of: function, offset) else { return nil }
    return DeviceRegister(place, width: width, in: registers)
  }
}
