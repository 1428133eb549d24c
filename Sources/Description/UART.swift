// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A serial port of the computer: one of the four that PCs have names for, or any other 16550 with I/O ports.
package struct UART: Equatable, Sendable {
  /// The first of its eight ports.
  package var port: UInt16
  /// Its ISA interrupt, below 16; or the GSI of a card's line.
  package var interrupt: Int

  package init(port: UInt16, interrupt: Int) {
    self.port = port
    self.interrupt = interrupt
  }

  package static let com1 = UART(port: 0x3f8, interrupt: 4)
  package static let com2 = UART(port: 0x2f8, interrupt: 3)
  package static let com3 = UART(port: 0x3e8, interrupt: 4)
  package static let com4 = UART(port: 0x2e8, interrupt: 3)

  /// Those with names, in the order of boot loaders.
  private static let named = [com1, com2, com3, com4]

  /// The one that is called so, `com1` to `com4`.
  package init?(named name: String) {
    guard let index = Self.named.indices.first(where: { name == "com\($0 + 1)" }) else { return nil }
    self = Self.named[index]
  }

  /// The one whose ports begin at `port`, if that has a name.
  package init?(at port: UInt16) {
    guard let known = Self.named.first(where: { $0.port == port }) else { return nil }
    self = known
  }

  /// Its number as boot loaders count, from 0; `nil` if its ports are at another place.
  package var unit: Int? { Self.named.firstIndex { $0.port == port } }

  /// The text that a description has for it, without its interrupt.
  package var name: String { unit.map { "com\($0 + 1)" } ?? "0x" + String(port, radix: 16) }

  /// Where its ports may begin: above those of the board itself, and not on those of PCI's configuration space.
  package static func isPossible(port: Int) -> Bool {
    (0x100...0xfff8).contains(port) && port % 8 == 0 && port != 0xcf8
  }
}
