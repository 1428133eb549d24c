// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware
import PCI
import Testing

@testable import Bus

/// Messages in the place of interrupt lines.
@Suite struct InterruptTests {
  /// What was written to a device's memory, in order.
  private final class Registers: DeviceMemory {
    var writes: [[UInt64]] = []
    func write32(_ value: UInt32, at address: PhysicalAddress) { writes.append([address.value, UInt64(value)]) }
  }

  private let message = InterruptMessage(address: 0x1_fee0_1000, data: 0x4041)

  private func scanned(_ model: ModelFunction) throws -> (ModelBus, PCIFunction) {
    let bus = ModelBus()
    bus[0, 3, 0] = model
    return (bus, try #require(bus.scan().first))
  }

  @Test func `MSI gets address and data, is enabled with one message, and INTx is off`() throws {
    let (bus, function) = try scanned(ModelFunction().messages(canMask: true))
    let model = try #require(bus[0, 3, 0])
    model.put(UInt16(0x1f5), at: 0x42)

    try function.enableMessage(message, in: bus)
    #expect(model.word(0x44, as: UInt64.self) == 0x1_fee0_1000)
    #expect(model.word(0x4c, as: UInt16.self) == 0x4041)
    #expect(model.word(0x50, as: UInt32.self) == 0)
    #expect(model.word(0x42, as: UInt16.self) & 0x71 == 1)
    #expect(model.word(4, as: UInt16.self) == 0x400)

    function.silence(in: bus)
    #expect(model.word(0x42, as: UInt16.self) & 1 == 0)
  }

  @Test func `MSI of 32 bits takes no address above 4 GiB`() throws {
    let (bus, function) = try scanned(ModelFunction().messages(wide: false))
    #expect(throws: MessageProblem.addressTooHigh) { try function.enableMessage(message, in: bus) }
    try function.enableMessage(InterruptMessage(address: 0xfee0_0000, data: 0x41), in: bus)
    #expect(bus[0, 3, 0]?.word(0x48, as: UInt16.self) == 0x41)
  }

  @Test func `MSI-X sends what vector 0 holds, and all others stay masked`() throws {
    let (bus, function) = try scanned(
      ModelFunction().memory(1, at: 0xf000_0000, size: 0x2000).messages()
        .messageTable(3, range: 1, offset: 0x1000, pending: 0x1800))
    let registers = Registers()

    try function.enableFirstMessage(message, in: bus, registers)
    #expect(
      registers.writes == [
        [0xf000_100c, 1], [0xf000_101c, 1], [0xf000_102c, 1], [0xf000_100c, 1], [0xf000_1000, 0xfee0_1000],
        [0xf000_1004, 1], [0xf000_1008, 0x4041], [0xf000_100c, 0],
      ])
    #expect(bus[0, 3, 0]?.word(0x5a, as: UInt16.self) == 0x8002)

    registers.writes = []
    try function.setMessage(nil, ofVector: 2, registers)
    #expect(registers.writes == [[0xf000_102c, 1]])
    #expect(throws: MessageProblem.noSuchVector) { try function.setMessage(nil, ofVector: 3, registers) }
  }

  @Test func `a table that cannot be written is an error, and MSI-X is off again`() throws {
    struct OutOfReach: DeviceMemory {
      func write32(_ value: UInt32, at address: PhysicalAddress) throws(MessageProblem) { throw .outOfReach }
    }
    let (bus, function) = try scanned(
      ModelFunction().memory64(0, at: 0x38_0100_0000, size: 0x8000)
        .messageTable(129, range: 0, offset: 0x1000, pending: 0x4000))
    let place = function.messageTablePlace
    #expect(place == PhysicalRange(start: PhysicalAddress(0x38_0100_1000), size: 129 * 16))
    #expect(throws: MessageProblem.outOfReach) { try function.enableMessageTable(in: bus, OutOfReach()) }
    #expect(bus[0, 3, 0]?.word(0x42, as: UInt16.self) == 0x4080, "masked and off")
    #expect(throws: MessageProblem.outOfReach) { try function.setMessage(message, ofVector: 1, OutOfReach()) }
  }

  @Test func `a function without messages says so`() throws {
    let (bus, function) = try scanned(ModelFunction())
    #expect(throws: MessageProblem.missing) { try function.enableFirstMessage(message, in: bus, Registers()) }
  }

  @Test func `the command register changes by its bits alone`() throws {
    let (bus, function) = try scanned(ModelFunction())
    function.change(inserting: .memorySpace | .busMaster, in: bus)
    function.change(inserting: .ioSpace, removing: .busMaster, in: bus)
    #expect(bus[0, 3, 0]?.word(4, as: UInt16.self) == 3)
  }

  @Test func `messages are masked where they are sent, and let through again`() throws {
    let (bus, function) = try scanned(
      ModelFunction().memory(1, at: 0xf000_0000, size: 0x2000).messages(canMask: true)
        .messageTable(3, range: 1, offset: 0x1000, pending: 0x1800))
    let model = try #require(bus[0, 3, 0])
    let messages = try #require(function.capabilities.messages).offset
    let table = try #require(function.capabilities.messageTable).offset
    try function.enableMessageTable(in: bus, Registers())

    function.holdMessages(in: bus)
    #expect(model.word(table + 2, as: UInt16.self) & 0xc000 == 0xc000)
    #expect(model.word(messages + 16, as: UInt32.self) == .max)
    function.releaseMessages(in: bus, sendsMessage: false)
    #expect(model.word(table + 2, as: UInt16.self) & 0xc000 == 0x8000)
    #expect(model.word(messages + 2, as: UInt16.self) & 1 == 0, "MSI was off, and stays so")

    try function.enableMessage(message, in: bus)
    function.holdMessages(in: bus)
    function.releaseMessages(in: bus, sendsMessage: true)
    #expect(model.word(messages + 16, as: UInt32.self) == 0)
    #expect(model.word(messages + 2, as: UInt16.self) & 1 == 1)
  }

  @Test func `a single message without a mask is switched off, and on again`() throws {
    let (bus, function) = try scanned(ModelFunction().messages())
    let model = try #require(bus[0, 3, 0])
    let control = try #require(function.capabilities.messages).offset + 2
    try function.enableMessage(message, in: bus)
    function.holdMessages(in: bus)
    #expect(model.word(control, as: UInt16.self) & 1 == 0)
    #expect(model.word(4, as: UInt16.self) & 0x400 != 0, "nor does it use its line")
    function.releaseMessages(in: bus, sendsMessage: true)
    #expect(model.word(control, as: UInt16.self) & 1 == 1)
  }
}
