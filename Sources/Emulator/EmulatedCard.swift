// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A network card of the emulated computer, an e1000e on a network of the emulator's own: 10.0.2.0/24 with DHCP, the
/// emulator as 10.0.2.2, and the way out that the host has.
package struct EmulatedCard: Equatable, Sendable {
  package var bus: UInt8
  package var device: UInt8
  package var function: UInt8

  package init(bus: UInt8, device: UInt8, function: UInt8) {
    self.bus = bus
    self.device = device
    self.function = function
  }
}

extension EmulatedMachine {
  /// An IOMMU, if there is anything for it to look after.
  var remappingArguments: [String] {
    cards.isEmpty && drives.isEmpty ? [] : ["-device", "intel-iommu,intremap=on"]
  }

  /// Each card where it is to be: on bus 0, or alone behind a root port of a second root, whose bus is the one before the
  /// card's.
  var cardArguments: [String] {
    var arguments: [String] = []
    for (number, card) in cards.enumerated() {
      var bus = "pcie.0"
      if card.bus > 0 {
        let root = "root\(number)"
        bus = "port\(number)"
        arguments += [
          "-device", "pxb-pcie,id=\(root),bus_nr=\(card.bus - 1),bus=pcie.0",
          "-device", "pcie-root-port,id=\(bus),bus=\(root),chassis=\(number + 1),slot=\(number + 1)",
        ]
      }
      arguments += [
        "-netdev", "user,id=card\(number)",
        "-device", "e1000e,netdev=card\(number),bus=\(bus),addr=\(String(card.device, radix: 16)).\(card.function)",
      ]
    }
    return arguments
  }
}
