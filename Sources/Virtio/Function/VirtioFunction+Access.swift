// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import PCI

// A guest may access anything in any width at any offset. Reads are put together from bytes. Writes reach the
// registers that they cover as a whole; what they cover in part stays as it was.

// MARK: - Configuration space

extension VirtioFunction {
  /// Reads `width` bytes (1, 2 or 4) of configuration space.
  package mutating func readConfiguration(_ offset: UInt8, width: Int) -> UInt32 {
    if isWindowData(offset) { readThroughWindow() }
    configuration.setInterruptStatus(hasInterruptStatus)
    return configuration.read(offset, width: width)
  }

  /// Writes `width` bytes (1, 2 or 4) of configuration space.
  package mutating func writeConfiguration(_ value: UInt32, at offset: UInt8, width: Int) {
    configuration.write(value, at: offset, width: width)
    if isWindowData(offset) { writeThroughWindow() }
    let new = FunctionPermissions(configuration, messageControl: messageControl)
    if new.ports != permissions.ports || new.memory != permissions.memory { events.insert(.rangesChanged) }
    permissions = new
  }

  // VIRTIO_PCI_CAP_PCI_CFG: bar, offset and length choose bytes of a base address register that its data field shows,
  // whether or not that range is decoded (virtio 1.2, §4.1.4.9).

  private func isWindowData(_ offset: UInt8) -> Bool { offset & ~3 == window + 16 }

  /// What the window shows; `nil` if it shows nothing that can be.
  private var windowTarget: (range: Int, offset: Int, width: Int)? {
    let range = Int(configuration.read(window + 4, width: 1))
    let offset = configuration.read(window + 8, width: 4)
    let width = configuration.read(window + 12, width: 4)
    let size =
      switch range {
      case FunctionLayout.portRange: FunctionLayout.portsSize
      case FunctionLayout.memoryRange: FunctionLayout.memorySize
      default: UInt32(0)
      }
    guard width == 1 || width == 2 || width == 4, offset.isAligned(to: width),
      fits(UInt64(offset), count: UInt64(width), in: UInt64(size))
    else { return nil }
    return (range, Int(offset), Int(width))
  }

  private mutating func readThroughWindow() {
    guard let target = windowTarget else { return }
    let value = target.range == FunctionLayout.memoryRange ? readRegisters(target.offset, width: target.width) : 0
    configuration.set(UInt32(truncatingIfNeeded: value), at: window + 16, width: target.width)
  }

  private mutating func writeThroughWindow() {
    guard let target = windowTarget else { return }
    if target.range == FunctionLayout.memoryRange {
      let value = UInt64(configuration.read(window + 16, width: target.width))
      writeRegisters(value, at: target.offset, width: target.width)
    } else {
      kick(atPort: target.offset)
    }
  }
}

// MARK: - Ports

extension VirtioFunction {
  /// Where the queues' ports are, two bytes for each; `nil` while the guest has not let them be decoded.
  package var portBase: UInt16? { permissions.ports }

  /// The ports of the queues that are handed to a server; `nil` while `portBase` is.
  package var serverPorts: (first: UInt16, count: UInt16)? {
    portBase.map { ($0, UInt16(device.dataQueueCount) * UInt16(FunctionLayout.notifyMultiplier)) }
  }

  /// Whether `port` is one of the function's.
  package func claims(port: UInt16) -> Bool {
    guard let portBase else { return false }
    return port >= portBase && UInt32(port - portBase) < FunctionLayout.portsSize
  }

  /// Reads a port that the function claims: there is nothing to read.
  package func readPort(_ port: UInt16, width: Int) -> UInt32 { 0 }

  /// Writes a port that the function claims: a kick, whatever the value (§4.1.5.2).
  package mutating func writePort(_ port: UInt16, width: Int, value: UInt32) {
    guard let portBase, claims(port: port) else { return }
    kick(atPort: Int(port - portBase))
  }

  private mutating func kick(atPort offset: Int) {
    let queue = offset / Int(FunctionLayout.notifyMultiplier)
    guard isLive, queue < device.queueCount else { return }
    events.insert(.kick(queue))
  }
}

// MARK: - Memory

extension VirtioFunction {
  /// Where the registers are; `nil` while the guest has not let them be decoded.
  package var memoryBase: UInt64? { permissions.memory }

  /// Whether the byte at `address` is one of the function's.
  package func claims(address: UInt64) -> Bool {
    guard let memoryBase else { return false }
    return address >= memoryBase && address - memoryBase < UInt64(FunctionLayout.memorySize)
  }

  /// Reads `width` bytes (1, 2, 4 or 8) at an address that the function claims.
  package mutating func readMemory(_ address: UInt64, width: Int) -> UInt64 {
    guard let memoryBase, claims(address: address) else { return .max }
    return readRegisters(Int(address - memoryBase), width: width)
  }

  /// Writes `width` bytes (1, 2, 4 or 8) at an address that the function claims.
  package mutating func writeMemory(_ address: UInt64, width: Int, value: UInt64) {
    guard let memoryBase, claims(address: address) else { return }
    writeRegisters(value, at: Int(address - memoryBase), width: width)
  }

  private mutating func readRegisters(_ offset: Int, width: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<min(width, 8) { value |= UInt64(readByte(offset + index)) << UInt64(8 * index) }
    return value
  }

  private mutating func readByte(_ offset: Int) -> UInt8 {
    switch offset {
    case FunctionLayout.common..<FunctionLayout.common + FunctionLayout.commonSize:
      return readCommonByte(offset - FunctionLayout.common)
    case FunctionLayout.interruptStatus:
      // Reading is what takes the interrupt back (§4.1.4.5).
      defer { causes = .none }
      return causes.rawValue
    case FunctionLayout.device..<FunctionLayout.deviceLimit:
      return readDeviceByte(offset - FunctionLayout.device)
    case FunctionLayout.messages..<FunctionLayout.pending:
      return Self.byte(offset, of: messages.read((offset - FunctionLayout.messages) / 4))
    case FunctionLayout.pending..<Int(FunctionLayout.memorySize):
      return Self.byte(offset, of: messages.readPending((offset - FunctionLayout.pending) / 4))
    default:
      return 0
    }
  }

  private static func byte(_ offset: Int, of word: UInt32) -> UInt8 {
    UInt8(truncatingIfNeeded: word >> UInt32(8 * (offset & 3)))
  }

  /// A change shows in `generation` as soon as the driver has read of it (§4.1.4.3.1).
  private mutating func readDeviceByte(_ offset: Int) -> UInt8 {
    if hasNewConfiguration {
      hasNewConfiguration = false
      generation &+= 1
    }
    return device.configurationByte(offset)
  }

  private mutating func writeRegisters(_ value: UInt64, at offset: Int, width: Int) {
    var done = 0
    while done < min(width, 8) {
      let rest = value >> UInt64(8 * done)
      done += writeRegister(rest, at: offset + done, room: min(width, 8) - done)
    }
  }

  /// Writes the register that begins at `offset`, if it is no wider than `room`.
  /// - Returns: The bytes that are dealt with.
  private mutating func writeRegister(_ value: UInt64, at offset: Int, room: Int) -> Int {
    switch offset {
    case FunctionLayout.common..<FunctionLayout.common + FunctionLayout.commonSize:
      guard let register = CommonRegister(rawValue: offset - FunctionLayout.common), register.width <= room else {
        return 1
      }
      write(UInt32(truncatingIfNeeded: value.bits(0, count: 8 * register.width)), to: register)
      return register.width
    case FunctionLayout.messages..<FunctionLayout.pending:
      guard offset & 3 == 0, room >= 4 else { return 1 }
      messages.write(UInt32(truncatingIfNeeded: value), at: (offset - FunctionLayout.messages) / 4)
      return 4
    case FunctionLayout.device..<FunctionLayout.deviceLimit:
      let byte = UInt8(truncatingIfNeeded: value)
      let hasChanged = device.writeConfigurationByte(byte, at: offset - FunctionLayout.device, driverFeatures)
      if hasChanged, isLive { events.insert(.setupChanged) }
      return 1
    default:
      return 1
    }
  }
}
