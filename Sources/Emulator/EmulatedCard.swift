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

  /// Each card where it is to be: on bus 0, or behind a root port of a root of its bus's own, whose bus is the one before.
  var cardArguments: [String] {
    let buses = cards.map(\.bus).filter { $0 > 0 }.uniqued
    let roots = buses.enumerated().flatMap { number, bus in
      [
        "-device", "pxb-pcie,id=root\(number),bus_nr=\(bus - 1),bus=pcie.0",
        "-device", "pcie-root-port,id=port\(number),bus=root\(number),chassis=\(number + 1),slot=\(number + 1)",
      ]
    }
    func place(_ card: EmulatedCard, _ function: UInt8) -> String {
      let bus = buses.firstIndex(of: card.bus).map { "port\($0)" } ?? "pcie.0"
      let shared = isAlone(card) ? "" : ",multifunction=on"
      return "bus=\(bus),addr=\(String(card.device, radix: 16)).\(function)\(shared)"
    }
    return roots + fillers.flatMap { ["-device", "pci-testdev,\(place($0, 0))"] }
      + cards.enumerated().flatMap { number, card in
        [
          "-netdev", "user,id=card\(number)",
          "-device", "e1000e,netdev=card\(number),\(place(card, card.function))",
        ]
      }
  }

  /// Whether a card is all there is of its device.
  private func isAlone(_ card: EmulatedCard) -> Bool {
    card.function == 0 && cards.filter { $0.isSameDevice(as: card) }.count == 1
  }

  /// A card of each device that nothing puts a function 0 on: without that, nobody looks for the others.
  private var fillers: [EmulatedCard] {
    let served = EmulatedDrive.devices(drives)
    return cards.indices.map { (cards[$0], cards[..<$0]) }.filter { card, before in
      !(card.bus == 0 && served.contains(Int(card.device))) && !before.contains { $0.isSameDevice(as: card) }
        && !cards.contains { $0.isSameDevice(as: card) && $0.function == 0 }
    }.map(\.0)
  }
}

extension EmulatedCard {
  fileprivate func isSameDevice(as other: Self) -> Bool { bus == other.bus && device == other.device }
}

extension Array where Element: Equatable {
  /// Its elements, each once, in the order in which they come first.
  fileprivate var uniqued: [Element] { reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}
