// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What runs on the emulated computer.
enum Scene: String, CaseIterable {
  /// A guest with nothing but a console.
  case one
  /// A guest that has a network card of the computer for itself.
  case card
  /// A guest that has a partition of the computer's disk.
  case disk
  /// Four guests on one network.
  case four
  /// A guest of a few instructions that leaves for one reason after the other.
  case exits
  /// One guest and four, each instruction counted.
  case counts

  /// Whether it has a description of its own.
  var isDescribed: Bool { self != .counts }

  var guests: Int { self == .four ? 4 : 1 }

  /// For people.
  var title: String {
    switch self {
    case .one: "one guest"
    case .four: "four guests"
    case .card: "one guest with a network card"
    case .disk: "one guest with a disk"
    case .exits: "exits by reason, counted"
    case .counts: "one and four guests, counted"
    }
  }

  /// What a guest has besides a console and a network, as the files with its drivers are called.
  var device: String? {
    switch self {
    case .one, .four, .exits, .counts: nil
    case .card, .disk: rawValue
    }
  }

  /// QEMU's arguments for it.
  /// - Parameter hasOneOwner: Whether the computer runs one system, from which nobody has to be protected.
  func arguments(hasOneOwner: Bool) -> [String] {
    switch self {
    case .one, .four, .exits, .counts: []
    case .card:
      (hasOneOwner ? [] : ["-device", "intel-iommu,intremap=on"])
        + ["-netdev", "user,id=net", "-device", "e1000e,netdev=net,bus=pcie.0,addr=4,romfile="]
    case .disk:
      [
        "-device", "ich9-ahci,id=sata", "-device", "ide-hd,drive=disk,bus=sata.0",
        // The disks of whoever runs the emulator take no part in the figures.
        "-drive", "file=\(Material.disk),if=none,id=disk,format=raw,cache=unsafe",
      ]
    }
  }
}
