// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Passthrough

@Test func `a guest sees who the function is, and only the capabilities that are known`() {
  let model = ModelFunction.card()
  // Between PCI Express and MSI-X: a vendor's own, which is hidden.
  model.set(0x70, at: 0xe1, width: 1)
  model.set(0xdead_a009, at: 0x70)
  model.set(0xbeef_beef, at: 0x74)
  let function = GuestCard(model)

  var found: [UInt32] = []
  var offset = UInt8(function.readConfiguration(0x34, width: 1))
  while offset != 0 {
    found.append(function.readConfiguration(offset, width: 1))
    offset = UInt8(function.readConfiguration(offset + 1, width: 1))
  }

  #expect(function.readConfiguration(0, width: 4) == 0x10d3_8086)
  #expect(function.readConfiguration(8, width: 4) == 0x0200_0000)
  #expect(found == [0x01, 0x05, 0x10, 0x11])
  #expect(function.readConfiguration(0x70, width: 4) == 0)
  #expect(function.readConfiguration(0x74, width: 4) == 0)
}

@Test func `a list that goes in a circle ends, and one that leads nowhere does`() {
  for next: UInt32 in [0xc8, 0x3c, 0xfc, 0x00] {
    let model = ModelFunction.card()
    model.set(next, at: 0xc9, width: 1)
    let function = GuestCard(model)

    #expect(function.readConfiguration(0xc8, width: 1) == 1)
    #expect(function.readConfiguration(0xc9, width: 1) == 0)
  }
}

@Test func `base addresses are sized and moved by the guest, and mapped where it lets them be decoded`() {
  let model = ModelFunction.card()
  let function = GuestCard(model)

  function.writeConfiguration(.max, at: 0x10, width: 4)
  #expect(function.readConfiguration(0x10, width: 4) == 0xfffe_0000)
  function.writeConfiguration(0xe000_0000, at: 0x10, width: 4)
  #expect(!model.takeTrace().contains { if case .map = $0 { true } else { false } })

  function.writeConfiguration(2, at: 4, width: 2)
  #expect(
    model.takeTrace().filter { if case .map = $0 { true } else { false } }
      == [.map(0, at: 0xe000_0000), .map(1, at: 0xfdf2_0000), .map(3, at: 0xfdf4_0000)])

  function.writeConfiguration(0xe100_0000, at: 0x10, width: 4)
  #expect(model.takeTrace() == [.map(0, at: nil), .map(0, at: 0xe100_0000)])

  function.writeConfiguration(0, at: 4, width: 2)
  #expect(model.takeTrace().contains(.map(0, at: nil)))
}

@Test func `of the command register only bus mastering reaches the function`() {
  let model = ModelFunction.card()
  let function = GuestCard(model)

  function.writeConfiguration(0xffff, at: 4, width: 2)

  let writes = model.takeTrace().filter { if case .write = $0 { true } else { false } }
  #expect(writes == [.write(4, at: 4)])
  #expect(function.readConfiguration(4, width: 2) == 0x0407)
}

@Test func `sleep is the guest's own note: the function is not told`() {
  let model = ModelFunction.card()
  let function = GuestCard(model)

  function.writeConfiguration(3, at: 0xcc, width: 2)

  #expect(function.readConfiguration(0xcc, width: 2) == 3 | 1 << 3)
  #expect(model.takeTrace().filter { if case .write = $0 { true } else { false } } == [])
}

@Test func `the function looks like one of the root itself, without a link and without a reset`() {
  let model = ModelFunction.card()
  let function = GuestCard(model)

  #expect(function.readConfiguration(0xe2, width: 2) == 0x0091)
  #expect(function.readConfiguration(0xe4, width: 4) == 0x0000_8000)
  #expect(function.readConfiguration(0xec, width: 4) == 0)
}

@Test func `a reset by the guest is dropped, and what a write leaves out stays`() {
  let model = ModelFunction.card()
  let function = GuestCard(model)

  function.writeConfiguration(0xffff, at: 0xe8, width: 2)
  #expect(model.takeTrace().contains(.write(0x7810, at: 0xe8)))

  // The upper byte alone: the lower one's bits stay as the function has them.
  function.writeConfiguration(0x50, at: 0xe9, width: 1)
  #expect(model.takeTrace().contains(.write(0x2810 & ~0x7800 | 0x5000, at: 0xe8)))
}

@Test func `ports go on while the guest decodes them, and never past their range`() {
  let model = ModelFunction.card()
  let function = GuestCard(model)
  #expect(!function.claims(port: 0xd004))

  function.writeConfiguration(1, at: 4, width: 2)
  _ = model.takeTrace()

  #expect(function.readPort(0xd004, width: 4) == 0x5a)
  function.writePort(0xd01c, width: 4, value: 7)
  function.writePort(0xd01e, width: 4, value: 7)
  #expect(function.readPort(0xd01f, width: 2) == .max)
  #expect(!function.claims(port: 0xd020))
  #expect(model.takeTrace() == [.portIn(2, 4, width: 4), .portOut(2, 28, width: 4, value: 7)])
}
