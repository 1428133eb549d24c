// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Description
import Firmware

/// The serial ports that Roost can use, and which of them people sit at.
struct SerialSurvey: Sendable {
  struct Port: Equatable, Sendable {
    /// The first of its I/O ports.
    let address: UInt16
    /// Its interrupt; `nil` if Linux does not say, or it has none.
    let interrupt: Int?
    /// As Linux calls it.
    fileprivate let linuxName: String

    /// The one with a name that is there, with the interrupt that goes with it.
    private var known: UART? { UART(at: address) }

    /// As people and descriptions call it.
    var name: String { UART(port: address, interrupt: interrupt ?? 0).name }

    /// What a description must say besides its name.
    var addition: String {
      guard let interrupt, known?.interrupt != interrupt else { return "" }
      return ", interrupt: \(interrupt)"
    }

    /// Whether a description can name it: where it has no name, its interrupt must be known.
    fileprivate var isUsable: Bool {
      known != nil || interrupt != nil && UART.isPossible(port: Int(address))
    }
    fileprivate var order: (Int, UInt16) { (known?.unit ?? .max, address) }
  }

  private(set) var ports: [Port] = []
  /// The port of the console, and why it is taken for that.
  private(set) var console: (port: Port, reason: String)?

  init(_ files: MachineFiles) {
    ports = files.names(in: "sys/class/tty").compactMap { Self.port($0, files) }.sorted { $0.order < $1.order }
    console = choose(files)
  }

  private static func port(_ name: String, _ files: MachineFiles) -> Port? {
    let folder = "sys/class/tty/\(name)"
    // Type 0 is a place where no UART was found (Linux, include/uapi/linux/serial.h).
    guard let address = files.number("\(folder)/port").flatMap({ UInt16(exactly: $0) }), address != 0,
      files.number("\(folder)/type") != 0
    else { return nil }
    let interrupt = files.number("\(folder)/irq").flatMap { (1...1023).contains($0) ? Int($0) : nil }
    let port = Port(address: address, interrupt: interrupt, linuxName: name)
    return port.isUsable ? port : nil
  }

  private func choose(_ files: MachineFiles) -> (port: Port, reason: String)? {
    if let port = redirection(files) { return (port, "the firmware's own console is there") }
    let words = (files.text("proc/cmdline") ?? "").split(separator: " ")
    for port in ports where words.contains(where: { $0.hasPrefix("console=\(port.linuxName)") }) {
      return (port, "Linux has its console there")
    }
    return ports.first.map {
      ($0, ports.count > 1 ? "the first one; change it if you sit at the other" : "the only one")
    }
  }

  /// The port that the SPCR table names.
  private func redirection(_ files: MachineFiles) -> Port? {
    guard let table = files["sys/firmware/acpi/tables/SPCR"] else { return nil }
    // SAFETY: any bits are bytes.
    guard let address = unsafe SerialRedirection(table.span.bytes)?.port else { return nil }
    return ports.first { $0.address == address }
  }
}
