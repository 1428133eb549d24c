// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// All that is known of a machine.
package struct MachineSurvey: Sendable {
  let processor: ProcessorSurvey
  let speculation: SpeculationSurvey
  let firmware: FirmwareSurvey
  let bus: BusSurvey
  let serial: SerialSurvey
  /// MiB that Linux has; 0 if it does not say.
  let memory: Int
  /// Who made it and what it is called; empty if the firmware does not say.
  let product: String
  let version: String
  private let lines: [UInt32: InterruptLine]

  package init(_ files: MachineFiles) {
    processor = ProcessorSurvey(files)
    speculation = SpeculationSurvey(files, processor)
    firmware = FirmwareSurvey(files)
    bus = BusSurvey(files)
    serial = SerialSurvey(files)
    memory = Self.memory(files)
    let names = ["sys_vendor", "product_name"].compactMap { files.text("sys/class/dmi/id/\($0)") }
    product = names.joined(separator: " ").printable
    version = (files.text("sys/class/dmi/id/bios_version") ?? "").printable
    let finder = InterruptFinder(files: files, firmware: firmware, bus: bus)
    var lines: [UInt32: InterruptLine] = [:]
    for function in bus.functions { lines[function.address.order] = finder.line(of: function) }
    self.lines = lines
  }

  func line(of function: FunctionSurvey) -> InterruptLine { lines[function.address.order] ?? .unknown }

  /// "MemTotal:       65757416 kB"
  private static func memory(_ files: MachineFiles) -> Int {
    for line in (files.text("proc/meminfo") ?? "").split(separator: "\n") where line.hasPrefix("MemTotal:") {
      let words = line.split(separator: " ")
      // 2^40 KiB are more than any machine has.
      guard words.count >= 2, let count = Int(words[1]), (0..<(1 << 40)).contains(count) else { return 0 }
      return count >> 10
    }
    return 0
  }
}
