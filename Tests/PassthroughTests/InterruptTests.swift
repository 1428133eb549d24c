// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import PCI
import Testing

@testable import Passthrough

private let table: UInt64 = 0xfdf4_0000

extension GuestCard {
  /// Gives vector `index` of the table its message, and opens or masks it.
  fileprivate func write(_ index: UInt64, _ message: InterruptMessage, isMasked: Bool) {
    writeMemory(table + 16 * index, width: 4, value: message.address)
    writeMemory(table + 16 * index + 4, width: 4, value: 0)
    writeMemory(table + 16 * index + 8, width: 4, value: UInt64(message.data))
    writeMemory(table + 16 * index + 12, width: 4, value: isMasked ? 1 : 0)
  }
}

@Test func `messages of the table are the guest's own, let through as the guest unmasks them`() {
  let model = ModelFunction.card()
  let function = GuestCard(model)
  function.writeConfiguration(6, at: 4, width: 2)
  _ = model.takeTrace()

  function.writeConfiguration(0x8000, at: 0xa2, width: 2)
  #expect(model.takeTrace() == [.select(.table)])
  function.write(1, InterruptMessage(address: 0xfee0_0000, data: 0x41), isMasked: false)
  #expect(model.takeTrace() == [.message(1, isOpen: true)])
  function.raise(messages: 0b11)
  #expect(function.takeMessage() == InterruptMessage(address: 0xfee0_0000, data: 0x41))
  #expect(function.takeMessage() == nil)

  // Vector 0 was masked: its message waits for the guest.
  function.write(0, InterruptMessage(address: 0xfee0_0000, data: 0x40), isMasked: false)
  #expect(function.takeMessage()?.data == 0x40)

  function.writeMemory(table + 28, width: 4, value: 1)
  #expect(model.takeTrace() == [.message(0, isOpen: true), .message(1, isOpen: false)])
}

@Test func `the mask of the whole function holds all messages back`() {
  let model = ModelFunction.card()
  let function = GuestCard(model)
  function.writeConfiguration(2, at: 4, width: 2)
  function.writeConfiguration(0xc000, at: 0xa2, width: 2)
  function.write(0, InterruptMessage(address: 0xfee0_0000, data: 0x40), isMasked: false)
  function.raise(messages: 1)
  #expect(function.takeMessage() == nil)
  #expect(!model.takeTrace().contains(.message(0, isOpen: true)))

  function.writeConfiguration(0x8000, at: 0xa2, width: 2)

  #expect(model.takeTrace() == [.message(0, isOpen: true)])
  #expect(function.takeMessage()?.data == 0x40)
}

@Test func `the table's page is the guest's to leave for, with nothing else on it`() {
  let model = ModelFunction.card()
  let function = GuestCard(model)
  #expect(!function.claims(address: table))

  function.writeConfiguration(2, at: 4, width: 2)

  #expect(function.claims(address: table + 0xfff))
  #expect(!function.claims(address: table + 0x1000))
  #expect(function.readMemory(table + 12, width: 4) == 1)
  // Five vectors are there; behind them nothing is.
  function.writeMemory(table + 80, width: 4, value: 0xffff_ffff)
  #expect(function.readMemory(table + 80, width: 4) == 0)
  #expect(function.readMemory(table + 0xffc, width: 8) == 0)
}

@Test func `one message is the guest's own`() {
  let model = ModelFunction.card()
  let function = GuestCard(model)
  function.writeConfiguration(0xfee0_1000, at: 0xd4, width: 4)
  function.writeConfiguration(0x4_0031, at: 0xdc, width: 4)
  _ = model.takeTrace()

  function.writeConfiguration(1, at: 0xd2, width: 2)

  #expect(model.takeTrace() == [.select(.message)])
  function.raise(messages: 1)
  #expect(function.takeMessage() == InterruptMessage(address: 0xfee0_1000, data: 0x31))
  #expect(function.takeMessage() == nil)
}

@Test func `the line is raised until the guest has ended its interrupt`() {
  let model = ModelFunction.card()
  let function = GuestCard(model)
  function.writeConfiguration(2, at: 4, width: 2)
  #expect(model.takeTrace().contains(.select(.line)))

  function.raiseLine()
  #expect(function.isLineRaised)
  #expect(function.readConfiguration(6, width: 2) & 1 << 3 != 0)
  #expect(model.takeTrace() == [])
  function.lineEnded()

  #expect(!function.isLineRaised)
  #expect(model.takeTrace() == [.acknowledge])
}

@Test func `a guest that turns to messages lets go of its line`() {
  let model = ModelFunction.card()
  let function = GuestCard(model)
  function.writeConfiguration(2, at: 4, width: 2)
  function.raiseLine()
  _ = model.takeTrace()

  function.writeConfiguration(0x8000, at: 0xa2, width: 2)

  #expect(!function.isLineRaised)
  #expect(model.takeTrace() == [.acknowledge, .select(.table)])
}

@Test func `a guest that forbids its line has no interrupts`() {
  let model = ModelFunction.card()
  let function = GuestCard(model)
  function.writeConfiguration(2, at: 4, width: 2)
  _ = model.takeTrace()

  function.writeConfiguration(0x402, at: 4, width: 2)

  #expect(model.takeTrace() == [.write(0, at: 4), .select(.none)])
}
