// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import PCI
import Testing

@testable import Virtio

/// Interrupts by the pin (virtio 1.2, §4.1.4.5 and §4.1.5.3).
@Suite struct PinTests {
  private let bench = FunctionBench()

  private var hasInterruptStatus: Bool { bench.configuration(6, 2) & 8 != 0 }

  @Test func `nothing interrupts before DRIVER_OK`() {
    bench.negotiate()
    bench.function.raise(queue: 0)
    bench.function.setLink(isUp: false)
    #expect(!bench.interruptLine && bench.read(FunctionLayout.interruptStatus, 1) == 0)
  }

  @Test func `the cause says queue or configuration, and reading it lowers the line`() {
    bench.start()
    bench.function.raise(queue: 1)
    #expect(bench.interruptLine && hasInterruptStatus)
    bench.function.setLink(isUp: false)
    #expect(bench.read(FunctionLayout.interruptStatus, 1) == 3)
    #expect(!bench.interruptLine && !hasInterruptStatus)
    #expect(bench.read(FunctionLayout.interruptStatus, 1) == 0)
  }

  @Test func `a wide read resets it too, a write and a read beside it do not`() {
    bench.start()
    bench.function.raise(queue: 0)
    bench.write(0, at: FunctionLayout.interruptStatus, 1)
    _ = bench.read(FunctionLayout.interruptStatus + 1, 1)
    _ = bench.read(FunctionLayout.interruptStatus - 4, 4)
    #expect(bench.interruptLine)
    #expect(bench.read(FunctionLayout.interruptStatus, 4) == 1)
    #expect(!bench.interruptLine)
  }

  @Test func `interrupt disable masks the line, not the status`() {
    bench.start()
    bench.function.raise(queue: 0)
    bench.function.writeConfiguration(0x407, at: 4, width: 2)
    #expect(!bench.interruptLine && hasInterruptStatus)
    bench.function.writeConfiguration(7, at: 4, width: 2)
    #expect(bench.interruptLine)
  }

  @Test func `queues that are not there raise nothing`() {
    bench.start()
    for index in [-1, 3, 8, .max] { bench.function.raise(queue: index) }
    #expect(!bench.interruptLine)
  }
}

/// Interrupts by message (§4.1.5.1.2 to §4.1.5.4; PCI Local Bus 3.0, §6.8.2).
@Suite struct MessageTests {
  private let bench = FunctionBench()

  private func message(_ vector: Int) -> InterruptMessage {
    InterruptMessage(address: UInt64(0xfee0_0000 + 4 * vector), data: UInt32(vector))
  }

  init() {
    bench.start()
    bench.enableMessages()
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `any event can have any vector, and it reads back`(vector: UInt64) {
    bench[.configurationVector] = vector
    bench.setVector(vector, ofQueue: 1)
    #expect(bench[.configurationVector] == vector && bench[.queueVector] == vector)
    bench.function.raise(queue: 1)
    #expect(bench.takeMessage() == message(Int(vector)))
    bench.function.setLink(isUp: false)
    #expect(bench.takeMessage() == message(Int(vector)))
    #expect(bench.takeMessage() == nil)
    #expect(!bench.interruptLine)
  }

  @Test(arguments: [4, 5, 0x7ff, 0x800, 0xfffe, 0xffff] as [UInt64])
  func `a vector that is not in the table maps to none, and sends nothing`(vector: UInt64) {
    bench.setVector(1, ofQueue: 0)
    bench.setVector(vector, ofQueue: 0)
    bench[.configurationVector] = vector
    #expect(bench[.queueVector] == 0xffff && bench[.configurationVector] == 0xffff)
    bench.function.raise(queue: 0)
    bench.function.setLink(isUp: false)
    #expect(bench.takeMessage() == nil && !bench.interruptLine)
  }

  @Test func `a change of the configuration sets its cause also with messages`() {
    bench.function.setLink(isUp: false)
    #expect(bench.configuration(6, 2) & 8 == 0)
    #expect(bench.read(FunctionLayout.interruptStatus, 1) == 2)
  }

  @Test func `the message of a queue is shown as it would be sent`() {
    bench.setVector(2, ofQueue: 0)
    #expect(bench.function.message(ofQueue: 0) == message(2))
    for queue in [1, 2, 3, -1, .max] { #expect(bench.function.message(ofQueue: queue) == nil) }
    bench.write(1, at: FunctionLayout.messages + 0x2c, 4)
    #expect(bench.function.message(ofQueue: 0) == nil)
    bench.write(0, at: FunctionLayout.messages + 0x2c, 4)
    bench.status = .none
    #expect(bench.function.message(ofQueue: 0) == nil)
  }

  @Test func `a masked vector is pending until it is unmasked`() {
    bench.setVector(2, ofQueue: 0)
    bench.write(1, at: FunctionLayout.messages + 0x2c, 4)
    bench.function.raise(queue: 0)
    bench.function.raise(queue: 0)
    #expect(bench.takeMessage() == nil)
    #expect(bench.read(FunctionLayout.pending, 8) == 4)
    bench.write(0, at: FunctionLayout.pending, 8)
    #expect(bench.read(FunctionLayout.pending, 4) == 4)
    bench.write(0xfffe, at: FunctionLayout.messages + 0x2c, 4)
    #expect(bench.takeMessage() == message(2))
    #expect(bench.takeMessage() == nil && bench.read(FunctionLayout.pending, 8) == 0)
  }

  @Test func `the function's mask holds all back`() {
    bench.setVector(0, ofQueue: 0)
    bench.setVector(3, ofQueue: 1)
    bench.enableMessages(maskingAll: true)
    bench.function.raise(queue: 0)
    bench.function.raise(queue: 1)
    #expect(bench.takeMessage() == nil)
    #expect(bench.read(FunctionLayout.pending, 8) == 9)
    bench.enableMessages()
    #expect(bench.takeMessage() == message(0))
    #expect(bench.takeMessage() == message(3))
    #expect(bench.takeMessage() == nil)
  }

  @Test func `a function that is no bus master sends nothing yet`() {
    bench.setVector(1, ofQueue: 0)
    bench.function.writeConfiguration(3, at: 4, width: 2)
    bench.function.raise(queue: 0)
    #expect(bench.takeMessage() == nil)
    bench.function.writeConfiguration(7, at: 4, width: 2)
    #expect(bench.takeMessage() == message(1))
  }

  @Test func `a queue's vector can be changed while it runs`() {
    bench.setVector(1, ofQueue: 0)
    bench.setVector(3, ofQueue: 0)
    bench.function.raise(queue: 0)
    #expect(bench.takeMessage() == message(3))
  }

  @Test func `the table takes whole dwords and whole entries' halves`() {
    bench.write(0x1122_3344_5566_7788, at: FunctionLayout.messages, 8)
    #expect(bench.read(FunctionLayout.messages, 8) == 0x1122_3344_5566_7788)
    bench.write(0xffff_ffff, at: FunctionLayout.messages + 2, 4)
    bench.write(0xff, at: FunctionLayout.messages, 1)
    #expect(bench.read(FunctionLayout.messages, 8) == 0x1122_3344_5566_7788)
    bench.write(.max, at: FunctionLayout.messages + 64, 8)
    #expect(bench.read(FunctionLayout.messages + 64, 8) == 0)
  }
}
