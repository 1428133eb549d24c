// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The serial ports that Roost can use, and which of them people sit at.
struct SerialSurvey: Sendable {
  enum Port: String, CaseIterable, Sendable {
    case com1, com2

    /// The first of its I/O ports.
    var address: UInt64 { self == .com1 ? 0x3f8 : 0x2f8 }
    /// As Linux calls it.
    fileprivate var linuxName: String { self == .com1 ? "ttyS0" : "ttyS1" }
  }

  private(set) var ports: [Port] = []
  /// The port of the console, and why it is taken for that.
  private(set) var console: (port: Port, reason: String)?

  init(_ files: MachineFiles) {
    ports = Port.allCases.filter { port in
      files.names(in: "sys/class/tty").contains { name in
        let folder = "sys/class/tty/\(name)"
        // Type 0 is a place where no UART was found (Linux, include/uapi/linux/serial.h).
        return files.number("\(folder)/port") == port.address && files.number("\(folder)/type") != 0
      }
    }
    console = choose(files)
  }

  private func choose(_ files: MachineFiles) -> (port: Port, reason: String)? {
    if let port = redirection(files), ports.contains(port) { return (port, "the firmware's own console is there") }
    let words = (files.text("proc/cmdline") ?? "").split(separator: " ")
    for port in ports where words.contains(where: { $0.hasPrefix("console=\(port.linuxName)") }) {
      return (port, "Linux has its console there")
    }
    return ports.first.map {
      ($0, ports.count > 1 ? "the first one; change it if you sit at the other" : "the only one")
    }
  }

  /// What the SPCR table says: the kind of address at 40, the address at 44 (Serial Port Console Redirection 1.10).
  private func redirection(_ files: MachineFiles) -> Port? {
    guard let table = files["sys/firmware/acpi/tables/SPCR"] else { return nil }
    // SAFETY: any bits are bytes.
    let span = unsafe table.span.bytes
    guard span.load(40, as: UInt8.self) == 1, let address = span.load(44, as: UInt64.self) else { return nil }
    return Port.allCases.first { $0.address == address }
  }
}
