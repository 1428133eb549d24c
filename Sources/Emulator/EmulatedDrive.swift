// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A SATA drive of the emulated machine, behind an AHCI controller of its own.
package struct EmulatedDrive: Equatable, Sendable {
  /// The file that holds its contents.
  package var path: String
  package var serial: String
  /// Device and function of the controller on bus 0; `nil` for any that is free.
  package var place: (device: Int, function: Int)?

  package init(path: String, serial: String, place: (device: Int, function: Int)? = nil) {
    self.path = path
    self.serial = serial
    self.place = place
  }

  package static func == (left: Self, right: Self) -> Bool {
    left.path == right.path && left.serial == right.serial && left.place?.device == right.place?.device
      && left.place?.function == right.place?.function
  }

  /// The device of the chipset, whose function 0 is there already.
  private static let chipset = 0x1f

  /// The arguments for drives and controllers.
  static func arguments(_ drives: [EmulatedDrive]) -> [String] {
    fillers(drives) + drives.enumerated().flatMap { $1.arguments(number: $0) }
  }

  /// The devices of bus 0 that have a function 0: the chipset's, and those with a drive's controller.
  static func devices(_ drives: [EmulatedDrive]) -> Set<Int> {
    Set(drives.compactMap(\.place).map(\.device) + [chipset])
  }

  /// Devices without purpose: functions are only looked for where there is a function 0.
  private static func fillers(_ drives: [EmulatedDrive]) -> [String] {
    let places = drives.compactMap(\.place)
    let taken = Set(places.filter { $0.function == 0 }.map(\.device) + [chipset])
    let devices = Set(places.map(\.device)).subtracting(taken).sorted()
    return devices.flatMap { ["-device", "pci-testdev,bus=pcie.0,addr=\(hexadecimal($0)).0,multifunction=on"] }
  }

  private func arguments(number: Int) -> [String] {
    let address = place.map { ",addr=\(Self.hexadecimal($0.device)).\($0.function),multifunction=on" } ?? ""
    return [
      "-drive",
      "file=\(EmulatedMachine.escaped(path)),if=none,id=drive\(number),format=raw,discard=unmap",
      "-device", "ich9-ahci,id=ahci\(number),bus=pcie.0\(address)",
      "-device", "ide-hd,drive=drive\(number),bus=ahci\(number).0,serial=\(serial.prefix(20))",
    ]
  }

  private static func hexadecimal(_ number: Int) -> String { "0x" + String(number, radix: 16) }
}
