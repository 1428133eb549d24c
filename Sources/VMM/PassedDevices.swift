// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Decoding
import Machine
import PCI
import Passthrough

/// The machine's PCI devices that the guest has, in the slots after its virtio devices.
struct PassedDevices: ~Copyable {
  private var functions: InlineArray<4, GuestFunction<KernelFunction>?> = InlineArray { _ in nil }
  private let count: Int
  /// The slot of the first.
  private let firstSlot: Int

  /// Resets the devices and plugs them in. A VM that lacks one ends here.
  init(_ configuration: borrowing VMMConfiguration, firstSlot: Int) {
    count = min(Int(configuration.passedCount), PassedDevice.capacity)
    self.firstSlot = firstSlot
    var places = DevicePlaces()
    for number in 0..<count {
      let information = PassedDevice.own(number).information
      guard information.isPresent != 0 else {
        Kernel.log(.error, "does not start: device \(number) of this VM cannot be had")
        Kernel.exit(.powerOff)
      }
      if information.canReset != 0 { Self.reset(number) }
      let ranges = Self.ranges(information)
      var function = GuestFunction(KernelFunction(number: number, ranges), ranges: ranges)
      for index in 0..<6 {
        if let address = places.take(ranges[index]) { function.place(index, at: address) }
      }
      functions[number] = consume function
    }
  }

  private static func reset(_ number: Int) {
    do throws(Status) {
      while let tick = try Kernel.resetDevice(number) {
        Kernel.setTimer(atTick: tick)
        _ = Kernel.wait()
      }
    } catch {
      Kernel.log(.error, "does not start: device \(number) of this VM does not come back from its reset")
      Kernel.exit(.powerOff)
    }
    Kernel.setTimer(atTick: 0)
  }

  private static func ranges(_ information: PassedDeviceInformation) -> InlineArray<6, FunctionRange> {
    var ranges = InlineArray<6, FunctionRange>(repeating: .none)
    for index in 0..<6 {
      let size = information.ranges[index].size
      switch PassedRangeKind(rawValue: information.ranges[index].kind) {
      case .io: ranges[index] = .io(size: UInt32(clamping: size))
      case .memory: ranges[index] = .memory(size: UInt32(clamping: size))
      case .memory64: ranges[index] = .memory64(size: size)
      case .some(.none), nil: break
      }
    }
    return ranges
  }

  // MARK: - Interrupts

  /// Passes on what the kernel says of the devices' interrupts.
  mutating func heard(_ notifications: Notifications, _ pc: inout PC) {
    for number in 0..<count where notifications.contains(.interrupt(number)) {
      let pending = PassedDevice.own(number).takePending()
      if pending & PassedDevice.line != 0 { functions[number]?.raiseLine() }
      functions[number]?.raise(messages: pending & ~PassedDevice.line)
      deliver(number, &pc)
    }
  }

  /// The guest ended interrupts of lines.
  mutating func serveEnds(_ pc: inout PC) {
    let ended = pc.takeEndedLines()
    guard ended != 0 else { return }
    for number in 0..<count where ended & 1 << UInt32(slot(number) - 1) != 0 { functions[number]?.lineEnded() }
  }

  private mutating func deliver(_ number: Int, _ pc: inout PC) {
    while let message = functions[number]?.takeMessage() { pc.deliver(message) }
    pc.setHeldLine(ofSlot: slot(number), isAsserted: isLineRaised(number))
  }

  private func isLineRaised(_ number: Int) -> Bool {
    switch functions[number] {
    case .some(let function): function.isLineRaised
    case .none: false
    }
  }

  private func slot(_ number: Int) -> Int { firstSlot + number }

  // MARK: - The guest's accesses

  private func number(of register: PCIRegister) -> Int? {
    let number = Int(register.device) - firstSlot
    guard register.bus == 0, register.function == 0, number >= 0, number < count else { return nil }
    return number
  }

  private func number(where isIts: (borrowing GuestFunction<KernelFunction>) -> Bool) -> Int? {
    for number in 0..<count {
      switch functions[number] {
      case .some(let function): if isIts(function) { return number }
      case .none: break
      }
    }
    return nil
  }

  /// What a device answers to IN; `nil` if the port is none of theirs.
  mutating func read(port: UInt16, width: Int, _ pc: borrowing PC) -> UInt32? {
    guard count > 0 else { return nil }
    if let register = pc.configurationTarget(port: port, width: width) {
      guard let number = number(of: register) else { return nil }
      return functions[number]?.readConfiguration(register.offset, width: width)
    }
    guard let number = number(where: { $0.claims(port: port) }) else { return nil }
    return functions[number]?.readPort(port, width: width)
  }

  /// Gives a device what OUT is for it. → whether it was
  mutating func write(port: UInt16, width: Int, value: UInt32, _ pc: inout PC) -> Bool {
    guard count > 0 else { return false }
    if let register = pc.configurationTarget(port: port, width: width) {
      guard let number = number(of: register) else { return false }
      functions[number]?.writeConfiguration(value, at: register.offset, width: width)
      deliver(number, &pc)
      return true
    }
    guard let number = number(where: { $0.claims(port: port) }) else { return false }
    functions[number]?.writePort(port, width: width, value: value)
    return true
  }

  /// Whether an access to guest memory is for one of them.
  ///
  /// Mutating, though it changes nothing: for a call that borrows them all devices are copied, 7 KiB at each exit.
  mutating func claims(address: UInt64) -> Bool { count > 0 && number(where: { $0.claims(address: address) }) != nil }

  /// Sends what became possible with the guest's last access.
  mutating func deliverAll(_ pc: inout PC) {
    for number in 0..<count { deliver(number, &pc) }
  }
}

extension PassedDevices: DeviceBus {
  mutating func read(address: UInt64, width: Int) -> UInt64 {
    guard let number = number(where: { $0.claims(address: address) }) else { return .max }
    return functions[number]?.readMemory(address, width: width) ?? .max
  }

  mutating func write(address: UInt64, width: Int, value: UInt64) {
    guard let number = number(where: { $0.claims(address: address) }) else { return }
    functions[number]?.writeMemory(address, width: width, value: value)
  }
}

/// Where a guest's firmware puts what its devices decode, from the top down; the guest may move it.
struct DevicePlaces {
  private var memory: UInt64 = 0xfe00_0000
  private var ports: UInt64 = 0xe000

  /// A place for a range; `nil` if it needs none, or there is none left.
  mutating func take(_ range: FunctionRange) -> UInt64? {
    switch range {
    case .none: return nil
    case .io(let size): return Self.take(UInt64(size), from: &ports, downTo: 0xd000)
    case .memory(let size): return Self.take(UInt64(size), from: &memory, downTo: PassedDevice.window.lowerBound)
    case .memory64(let size): return Self.take(size, from: &memory, downTo: PassedDevice.window.lowerBound)
    }
  }

  private static func take(_ size: UInt64, from top: inout UInt64, downTo bottom: UInt64) -> UInt64? {
    guard size > 0, top - bottom >= size else { return nil }
    let address = (top - size).roundedDown(to: size)
    guard address >= bottom else { return nil }
    top = address
    return address
  }
}
