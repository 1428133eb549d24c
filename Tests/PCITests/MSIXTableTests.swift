// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import PCI

final class MSIXTableTests {
  private var table = MSIXTable(count: 3)

  private func takeMessage() -> InterruptMessage? { table.takeMessage() }

  @Test func `all vectors are masked at first`() {
    for index in 0..<12 { #expect(table.read(index) == (index % 4 == 3 ? 1 : 0)) }
    for vector in 0..<3 { table.raise(vector) }
    #expect(takeMessage() == nil)
    #expect(table.readPending(0) == 7)
  }

  @Test func `entries keep what is theirs`() {
    for index in 0..<64 { table.write(.max, at: index) }
    #expect(table.read(4) == 0xffff_fffc)
    #expect(table.read(5) == .max)
    #expect(table.read(6) == .max)
    #expect(table.read(7) == 1)
    for index in [-1, 12, 63, 64, .max] {
      table.write(.max, at: index)
      #expect(table.read(index) == 0)
    }
  }

  @Test func `a message goes out once, with the address and data of its time`() {
    table.write(0xfee0_1000, at: 4)
    table.write(1, at: 5)
    table.write(0x41, at: 6)
    table.raise(1)
    table.raise(1)
    table.write(0x42, at: 6)
    table.write(0, at: 7)
    #expect(takeMessage() == InterruptMessage(address: 0x1_fee0_1000, data: 0x42))
    #expect(takeMessage() == nil)
    #expect(table.readPending(0) == 0 && table.readPending(1) == 0)
  }

  @Test func `a message is shown while it is not masked, and not sent by that`() {
    table.write(0xfee0_1000, at: 8)
    table.write(0x43, at: 10)
    #expect(table.message(2) == nil)
    table.write(0, at: 11)
    table.raise(2)
    #expect(table.message(2) == InterruptMessage(address: 0xfee0_1000, data: 0x43))
    for vector in [-1, 3, 0xffff, .max] { #expect(table.message(vector) == nil) }
    #expect(takeMessage()?.data == 0x43)
  }

  @Test func `a masked vector does not hold others back`() {
    for vector in 0..<3 { table.raise(vector) }
    table.write(0, at: 7)
    table.write(7, at: 6)
    #expect(takeMessage()?.data == 7)
    #expect(takeMessage() == nil)
    #expect(table.readPending(0) == 5)
    table.withdrawAll()
    table.write(0, at: 3)
    #expect(takeMessage() == nil)
  }

  @Test(arguments: [-1, 3, 16, 0xffff, .max])
  func `a vector that is not there has no message`(vector: Int) {
    table.raise(vector)
    #expect(table.readPending(0) == 0)
  }
}
