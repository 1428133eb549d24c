// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import PCI

@testable import Passthrough

/// What a guest's function asked of the machine's.
enum Asked: Equatable {
  case write(UInt16, at: Int)
  case map(Int, at: UInt64?)
  case select(FunctionDelivery)
  case message(Int, isOpen: Bool)
  case acknowledge
  case portIn(Int, UInt32, width: Int)
  case portOut(Int, UInt32, width: Int, value: UInt32)
}

/// A function whose configuration space is bytes, and which notes what it is asked for.
final class ModelFunction: PhysicalFunction {
  var bytes = [UInt8](repeating: 0, count: 256)
  var trace: [Asked] = []

  /// What was asked since this was last called.
  func takeTrace() -> [Asked] {
    defer { trace = [] }
    return trace
  }

  func set(_ value: UInt32, at offset: Int, width: Int = 4) {
    for index in 0..<width { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
  }

  func readConfiguration(_ offset: Int, width: Int) -> UInt32 {
    precondition(offset >= 0 && offset % width == 0 && offset + width <= 256)
    return (0..<width).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
  }

  func writeConfiguration(_ value: UInt16, at offset: Int) {
    precondition(offset >= 0 && offset % 2 == 0 && offset < 256)
    trace.append(.write(value, at: offset))
  }

  func map(_ range: Int, at address: UInt64?) { trace.append(.map(range, at: address)) }
  func select(_ delivery: FunctionDelivery) { trace.append(.select(delivery)) }
  func setMessage(_ vector: Int, isOpen: Bool) { trace.append(.message(vector, isOpen: isOpen)) }
  func acknowledgeLine() { trace.append(.acknowledge) }

  func readPort(_ range: Int, _ offset: UInt32, width: Int) -> UInt32 {
    trace.append(.portIn(range, offset, width: width))
    return 0x5a
  }

  func writePort(_ range: Int, _ offset: UInt32, width: Int, value: UInt32) {
    trace.append(.portOut(range, offset, width: width, value: value))
  }

  /// An e1000e as QEMU shows it: power management at C8, MSI at D0, PCI Express at E0, MSI-X at A0.
  static func card() -> ModelFunction {
    let model = ModelFunction()
    model.set(0x10d3_8086, at: 0x00)
    model.set(0x0010_0000, at: 0x04)
    model.set(0x0200_0000, at: 0x08)
    model.set(0x0000_8086, at: 0x2c)
    model.set(0xc8, at: 0x34, width: 1)
    model.set(1, at: 0x3d, width: 1)
    model.set(0xc823_d001, at: 0xc8)
    model.set(0x0080_e005, at: 0xd0)
    model.set(0x0001_a010, at: 0xe0)
    model.set(0x1000_8000, at: 0xe4)
    model.set(0x0010_2810, at: 0xe8)
    model.set(0x0004_0011, at: 0xa0)
    model.set(0x0000_0003, at: 0xa4)
    model.set(0x0000_2003, at: 0xa8)
    return model
  }

  static let cardRanges: InlineArray<6, FunctionRange> = [
    .memory(size: 0x2_0000), .memory(size: 0x2_0000), .io(size: 32), .memory(size: 0x4000), .none, .none,
  ]
}

/// A card as a guest has it, placed as its firmware does: a class, since expectations copy what they look at.
final class GuestCard {
  private var function: GuestFunction<ModelFunction>

  init(_ model: ModelFunction) {
    function = GuestFunction(model, ranges: ModelFunction.cardRanges)
    function.place(0, at: 0xfdf0_0000)
    function.place(1, at: 0xfdf2_0000)
    function.place(2, at: 0xd000)
    function.place(3, at: 0xfdf4_0000)
  }

  var isLineRaised: Bool { function.isLineRaised }
  /// Where the guest has the range of the table of messages.
  var tableBase: UInt64? { function.mapped[3] }
  func readConfiguration(_ offset: UInt8, width: Int) -> UInt32 { function.readConfiguration(offset, width: width) }
  func writeConfiguration(_ value: UInt32, at offset: UInt8, width: Int) {
    function.writeConfiguration(value, at: offset, width: width)
  }
  func claims(port: UInt16) -> Bool { function.claims(port: port) }
  func readPort(_ port: UInt16, width: Int) -> UInt32 { function.readPort(port, width: width) }
  func writePort(_ port: UInt16, width: Int, value: UInt32) { function.writePort(port, width: width, value: value) }
  func claims(address: UInt64) -> Bool { function.claims(address: address) }
  func readMemory(_ address: UInt64, width: Int) -> UInt64 { function.readMemory(address, width: width) }
  func writeMemory(_ address: UInt64, width: Int, value: UInt64) {
    function.writeMemory(address, width: width, value: value)
  }
  func raise(messages: UInt64) { function.raise(messages: messages) }
  func raiseLine() { function.raiseLine() }
  func lineEnded() { function.lineEnded() }
  func takeMessage() -> InterruptMessage? { function.takeMessage() }
  func place(_ index: Int, at address: UInt64) { function.place(index, at: address) }
}
