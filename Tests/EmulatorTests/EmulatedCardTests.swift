// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Emulator

private func arguments(_ cards: [EmulatedCard]) -> [String] {
  var machine = EmulatedMachine(kernel: "k", image: nil, memoryMiB: 512, cores: 1, accelerator: .tcg)
  machine.cards = cards
  return machine.arguments
}

@Test func `a machine with nothing for an IOMMU to look after has none`() {
  #expect(!arguments([]).contains { $0.hasPrefix("intel-iommu") })
}

@Test func `a card is where it is to be, behind a root of its own and an IOMMU`() {
  let found = arguments([EmulatedCard(bus: 0x66, device: 0, function: 0)])

  #expect(found.contains("intel-iommu,intremap=on"))
  #expect(found.contains("pxb-pcie,id=root0,bus_nr=101,bus=pcie.0"))
  #expect(found.contains("pcie-root-port,id=port0,bus=root0,chassis=1,slot=1"))
  #expect(found.contains("e1000e,netdev=card0,bus=port0,addr=0.0"))
  #expect(found.contains("user,id=card0"))
}

@Test func `a card of bus 0 is there, by hexadecimal digits`() {
  let found = arguments([
    EmulatedCard(bus: 0, device: 4, function: 0), EmulatedCard(bus: 0, device: 0x1a, function: 0),
  ])

  #expect(found.contains("e1000e,netdev=card0,bus=pcie.0,addr=4.0"))
  #expect(found.contains("e1000e,netdev=card1,bus=pcie.0,addr=1a.0"))
  #expect(!found.contains { $0.hasPrefix("pxb-pcie") })
}

@Test func `cards of one device are functions of it, behind one root`() {
  let found = arguments([
    EmulatedCard(bus: 0x66, device: 0, function: 0), EmulatedCard(bus: 0x66, device: 0, function: 1),
  ])

  #expect(found.filter { $0.hasPrefix("pxb-pcie") } == ["pxb-pcie,id=root0,bus_nr=101,bus=pcie.0"])
  #expect(found.contains("e1000e,netdev=card0,bus=port0,addr=0.0,multifunction=on"))
  #expect(found.contains("e1000e,netdev=card1,bus=port0,addr=0.1,multifunction=on"))
  #expect(!found.contains { $0.hasPrefix("pci-testdev") })
}

@Test func `a device whose function 0 is no card has another there, once`() {
  var machine = EmulatedMachine(kernel: "k", image: nil, memoryMiB: 512, cores: 1, accelerator: .tcg)
  machine.cards = [
    EmulatedCard(bus: 0, device: 4, function: 2), EmulatedCard(bus: 0, device: 4, function: 1),
    EmulatedCard(bus: 0, device: 0x11, function: 6), EmulatedCard(bus: 0, device: 0x1f, function: 6),
  ]
  // A drive's controller is there, and what that needs.
  machine.drives = [EmulatedDrive(path: "d", serial: "s", place: (device: 0x11, function: 5))]

  let fillers = machine.arguments.filter { $0.hasPrefix("pci-testdev") }
  #expect(
    fillers == [
      "pci-testdev,bus=pcie.0,addr=0x11.0,multifunction=on", "pci-testdev,bus=pcie.0,addr=4.0,multifunction=on",
    ])
  #expect(machine.arguments.contains("e1000e,netdev=card2,bus=pcie.0,addr=11.6,multifunction=on"))
}
