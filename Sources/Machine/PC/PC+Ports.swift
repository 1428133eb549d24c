// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import PCI
import Virtio

extension PC {
  /// Whose port this is.
  private enum PortOwner {
    case serial(UInt16)
    case interruptControllers
    case intervalTimer
    case clock
    case power
    case configurationAddress
    case configurationData
    case nobody

    init(_ port: UInt16, width: Int) {
      switch port {
      case UART.basePort..<UART.basePort + 8: self = .serial(port - UART.basePort)
      case _ where InterruptControllerPair.owns(port): self = .interruptControllers
      case _ where IntervalTimer.owns(port): self = .intervalTimer
      case _ where RealTimeClock.owns(port): self = .clock
      case _ where PCIHostBridge.claims(port, width: width):
        self = port == 0xcf8 ? .configurationAddress : .configurationData
      case _ where PowerManagement.owns(port): self = .power
      default: self = .nobody
      }
    }
  }

  /// Carries out IN: `width` is 1, 2 or 4.
  ///
  /// A port that is nobody's reads as ones, which is how Linux finds out that a device is not there.
  package mutating func read(port: UInt16, width: Int) -> UInt32 {
    switch PortOwner(port, width: width) {
    case .configurationAddress: return bridge.readAddress()
    case .configurationData: return readConfiguration(port, width: width)
    case .power:
      defer { powerChanged() }
      return power.read(port: port, width: width, now: powerTime(port))
    case .nobody:
      if let index = function(atPort: port) {
        return touchFunction(index) { $0.readPort(port, width: width) } ?? .max
      }
    default: break
    }
    var value = UInt32(readByte(port))
    for index in 1..<max(width, 1) {
      value |= UInt32(readByte(port &+ UInt16(truncatingIfNeeded: index))) << UInt32(8 * index)
    }
    return value
  }

  /// Carries out OUT: `width` is 1, 2 or 4.
  /// - Returns: What the guest asked for with it.
  package mutating func write(port: UInt16, width: Int, value: UInt32) -> Request {
    switch PortOwner(port, width: width) {
    case .configurationAddress: bridge.writeAddress(value)
    case .configurationData: writeConfiguration(port, width: width, value: value)
    case .power:
      defer { powerChanged() }
      return Request(power.write(port: port, value: value, width: width, now: now))
    case .nobody where function(atPort: port) != nil:
      if let index = function(atPort: port) {
        _ = touchFunction(index) { $0.writePort(port, width: width, value: value) }
      }
    default:
      var request = Request.none
      for index in 0..<width {
        let byte = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
        let new = writeByte(port &+ UInt16(truncatingIfNeeded: index), byte)
        if new != .none { request = new }
      }
      return request
    }
    return .none
  }

  /// A byte of one of the devices that a wider access reaches byte by byte, as on an 8-bit bus.
  private mutating func readByte(_ port: UInt16) -> UInt8 {
    switch PortOwner(port, width: 1) {
    case .serial(let offset):
      defer { setLine(.serial, isHigh: uart.interruptLine) }
      return uart.read(offset)
    case .interruptControllers:
      noteMaskedTicks()
      return controllers.read(port: port)
    case .intervalTimer: return intervalTimer.read(port: port, now: now)
    case .clock:
      defer { clockChanged() }
      return clock.read(port: port, now: now)
    case .power:
      defer { powerChanged() }
      return UInt8(truncatingIfNeeded: power.read(port: port, width: 1, now: powerTime(port)))
    case .configurationAddress, .configurationData, .nobody: return 0xff
    }
  }

  /// What time a reading of the power management's registers is of.
  @inline(never)
  private mutating func powerTime(_ port: UInt16) -> UInt64 {
    guard port == PowerManagement.timerPort, paravirtualClock.isOn else { return now }
    return timerComparison.time(at: now, intervalTimer.measurement)
  }

  private mutating func writeByte(_ port: UInt16, _ value: UInt8) -> Request {
    switch PortOwner(port, width: 1) {
    case .serial(let offset):
      defer { setLine(.serial, isHigh: uart.interruptLine) }
      if case .transmit(let byte) = uart.write(value, to: offset) { return .transmit(byte) }
    case .interruptControllers:
      noteMaskedTicks()
      controllers.write(port: port, value: value)
      routesChanged()
    case .intervalTimer:
      settleTicks()
      intervalTimer.write(port: port, value: value, now: now)
      intervalTimerChanged()
    case .clock:
      clock.write(port: port, value: value, now: now)
      clockChanged()
    case .power:
      defer { powerChanged() }
      return Request(power.write(port: port, value: UInt32(value), width: 1, now: now))
    case .configurationAddress, .configurationData, .nobody: break
    }
    return .none
  }

  // MARK: - Configuration space

  /// Where no function is, a read finds all ones and a write is lost.
  private mutating func readConfiguration(_ port: UInt16, width: Int) -> UInt32 {
    guard let register = bridge.target(of: port) else { return PCIHostBridge.absent(width: width) }
    if register.isHostBridge { return bridge.configuration.read(register.offset, width: width) }
    guard let index = function(at: register) else { return PCIHostBridge.absent(width: width) }
    return touchFunction(index) { $0.readConfiguration(register.offset, width: width) }
      ?? PCIHostBridge.absent(width: width)
  }

  private mutating func writeConfiguration(_ port: UInt16, width: Int, value: UInt32) {
    guard let register = bridge.target(of: port) else { return }
    if register.isHostBridge {
      bridge.write(value, at: register.offset, width: width)
    } else if let index = function(at: register) {
      _ = touchFunction(index) { $0.writeConfiguration(value, at: register.offset, width: width) }
    }
  }
}
