// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
package import PCI
package import Virtio

/// PCI functions on bus 0 beside the host bridge: function n alone in slot n + 1.
extension PC {
  /// The most functions.
  package static var functionCapacity: Int { 8 }

  /// Where the firmware puts what functions decode, each at a multiple of its stride; the guest may move it.
  private static var firstPort: UInt16 { 0xc000 }
  private static var portStride: UInt16 { 0x40 }
  private static var firstRegister: UInt32 { 0xfe00_0000 }
  private static var registerStride: UInt32 { 0x1_0000 }

  /// Plugs a function into the next slot, before the guest starts.
  /// - Precondition: there are fewer than `functionCapacity`.
  package mutating func plug(_ function: consuming VirtioFunction) {
    let index = functionCount
    functions[index] = consume function
    functions[index]?.place(
      io: Self.firstPort + UInt16(index) * Self.portStride,
      memory: Self.firstRegister + UInt32(index) * Self.registerStride)
    functionCount += 1
  }

  /// Does something with function `index`, and then what that has the function ask of the machine.
  package mutating func withFunction<R>(_ index: Int, _ body: (inout VirtioFunction) -> R) -> R? {
    guard index < functionCount else { return nil }
    defer { functionChanged(index) }
    return functions[index]?.change(body)
  }

  /// Whether `takeTouchedFunction` has something to name.
  package var hasTouchedFunction: Bool { touchedFunctions != 0 }

  /// A function that the guest did something to since it was last taken; each once.
  package mutating func takeTouchedFunction() -> Int? {
    guard touchedFunctions != 0 else { return nil }
    let index = touchedFunctions.trailingZeroBitCount
    touchedFunctions &= touchedFunctions - 1
    return index
  }

  /// Has `takeTouchedFunction` name function `index` once more.
  package mutating func touch(_ index: Int) { touchedFunctions |= 1 << UInt32(index) }

  /// The ports by which the guest kicks the queues of function `index` that are a server's; `nil` if it has none.
  package func kickPorts(ofFunction index: Int) -> (first: UInt16, count: UInt16)? {
    ask(index) { $0.serverPorts } ?? nil
  }

  /// Asks function `index` something, in its place.
  private func ask<R>(_ index: Int, _ question: (borrowing VirtioFunction) -> R) -> R? {
    guard index >= 0, index < functionCount else { return nil }
    switch functions[index] {
    case .some(let function): return question(function)
    case .none: return nil
    }
  }

  // MARK: - The guest's accesses

  func function(atPort port: UInt16) -> Int? {
    for index in 0..<functionCount where ask(index, { $0.claims(port: port) }) == true { return index }
    return nil
  }

  func function(atAddress address: UInt64) -> Int? {
    for index in 0..<functionCount where ask(index, { $0.claims(address: address) }) == true { return index }
    return nil
  }

  func function(at register: PCIRegister) -> Int? {
    let index = Int(register.device) - 1
    guard register.bus == 0, register.function == 0, index >= 0, index < functionCount else { return nil }
    return index
  }

  /// As `withFunction`, for what the guest does.
  mutating func touchFunction<R>(_ index: Int, _ body: (inout VirtioFunction) -> R) -> R? {
    touchedFunctions |= 1 << UInt32(index)
    return withFunction(index, body)
  }

  // MARK: - Its interrupts

  /// Puts the interrupt lines of PCI at rest: high, since they are asserted low (PCI Local Bus 3.0, §2.2.6). Guests
  /// set their pins up so unless ACPI says otherwise.
  mutating func releaseFunctionLines() {
    for pin in ACPITables.firstPCIPin..<ACPITables.firstPCIPin + ACPITables.pciPinCount {
      _ = ioAPIC.setLine(Int(pin), isHigh: true)
    }
  }

  /// Sends a function's messages, and sets its line.
  private mutating func functionChanged(_ index: Int) {
    while let message = functions[index]?.takeMessage() { deliver(message) }
    let isAsserted = ask(index) { $0.interruptLine } == true
    setFunctionLine(ofSlot: index + 1, isAsserted: isAsserted)
  }

  /// Sets INTA# of the function in `slot`; a pin is asserted while any function on it is.
  private mutating func setFunctionLine(ofSlot slot: Int, isAsserted: Bool) {
    let bit = UInt32(1) << UInt32(slot - 1)
    guard (functionLines & bit != 0) != isAsserted else { return }
    functionLines ^= bit
    let pin = ACPITables.ioAPICPin(slot: UInt32(slot), pin: 0)
    let isAssertedByAny = functionLines & Self.slots(onPin: pin) != 0
    if let message = ioAPIC.setLine(Int(pin), isHigh: !isAssertedByAny) { deliver(message) }
  }

  /// The slots whose INTA# is at an I/O APIC pin: bit n is slot n + 1.
  private static func slots(onPin pin: UInt32) -> UInt32 {
    var slots: UInt32 = 0
    for slot in UInt32(1)...31 where ACPITables.ioAPICPin(slot: slot, pin: 0) == pin { slots |= 1 << (slot - 1) }
    return slots
  }

  // MARK: - Functions of others

  /// Sets INTA# of a function in a slot that is not this machine's. It stays asserted until the guest ends its interrupt
  /// (`takeEndedLines`), or this says otherwise.
  package mutating func setHeldLine(ofSlot slot: Int, isAsserted: Bool) {
    guard slot >= 1, slot < 32 else { return }
    heldLines |= 1 << UInt32(slot - 1)
    setFunctionLine(ofSlot: slot, isAsserted: isAsserted)
  }

  /// Whether `takeEndedLines` has something to name.
  package var hasEndedLines: Bool { endedLines != 0 }

  /// The held lines whose interrupts the guest ended since this was last called, and which are released: bit n is slot
  /// n + 1.
  package mutating func takeEndedLines() -> UInt32 {
    defer { endedLines = 0 }
    return endedLines
  }

  /// The guest ended the interrupts of these I/O APIC pins: releases their held lines.
  mutating func releaseHeldLines(ofPins pins: UInt32) {
    let asserted = heldLines & functionLines
    guard pins != 0, asserted != 0 else { return }
    for slot in 1...31 where asserted & 1 << UInt32(slot - 1) != 0 {
      guard pins & 1 << ACPITables.ioAPICPin(slot: UInt32(slot), pin: 0) != 0 else { continue }
      setFunctionLine(ofSlot: slot, isAsserted: false)
      endedLines |= 1 << UInt32(slot - 1)
    }
  }

  /// The register of configuration space that an access to the data port means.
  package func configurationTarget(port: UInt16, width: Int) -> PCIRegister? {
    PCIHostBridge.claims(port, width: width) && port != 0xcf8 ? bridge.target(of: port) : nil
  }

  /// A message signalled interrupt (Intel SDM volume 3, §11.11): a write where the local APICs listen.
  package mutating func deliver(_ message: InterruptMessage) {
    if let message = Self.interrupt(of: message) { deliver(message) }
  }

  /// What the local APICs make of a message; `nil` if they do not hear it.
  private static func interrupt(of message: InterruptMessage) -> IOAPICMessage? {
    guard message.address >> 20 == MemoryMap.localAPIC >> 20,
      let mode = DeliveryMode(rawValue: UInt8(message.data.bits(8, count: 3)))
    else { return nil }
    return IOAPICMessage(
      vector: UInt8(truncatingIfNeeded: message.data), mode: mode,
      destination: UInt8(message.address.bits(12, count: 8)), isLogical: message.address.bits(2, count: 1) != 0,
      trigger: message.data.bits(15, count: 1) != 0 ? .level : .edge)
  }

  /// The vector that function `index` would have the processor request, as things are, when it interrupts for a queue;
  /// `nil` if there is more to it than that.
  package func requestedVector(ofFunction index: Int, queue: Int) -> UInt8? {
    guard let message = ask(index, { $0.message(ofQueue: queue) }) ?? nil, let interrupt = Self.interrupt(of: message)
    else { return nil }
    let isPlain = (interrupt.mode == .fixed || interrupt.mode == .lowestPriority) && interrupt.trigger == .edge
    let isHeard = apic.accepts(destination: UInt32(interrupt.destination), isLogical: interrupt.isLogical)
    return isPlain && isHeard && interrupt.vector >= 16 ? interrupt.vector : nil
  }
}

extension VirtioFunction {
  /// Lets `body` change the function in its place.
  fileprivate mutating func change<R>(_ body: (inout VirtioFunction) -> R) -> R { body(&self) }
}
