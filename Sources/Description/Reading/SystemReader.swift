// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// Turns a document into a `System`, or into everything that is wrong with it.
struct SystemReader {
  var report = Report()
  let files: GuestFiles

  /// - Returns: `nil` if something is wrong, which is then in `report`.
  mutating func read(_ root: Value) -> System? {
    guard case .map = root.content else {
      refuseRoot(root)
      return nil
    }
    let fields = report.fields(of: root, as: .system, owner: "the system", at: root.place)
    let name = fields[.name].flatMap { report.name($0.text, at: $0.place) }
    let onPanic = fields[.onPanic].flatMap { report.word($0, of: .onPanic) }
    let console = fields[.console].flatMap { readConsole($0) }
    let computer = fields[.machine].flatMap { readComputer($0) }
    let switches = readSwitches(fields[.switches], besides: fields[.machines], on: computer)
    let network = NetworkReader(system: name ?? "", switches: fields[.switches]?.entries.map(\.key) ?? [])
    let disks = readDisks(fields[.disks], fields, on: computer)
    let shares = ShareReader(disks: fields[.disks])
    let devices = DeviceReader(disks: fields[.disks])
    let machines = fields[.machines].flatMap { readMachines($0, on: computer, network, shares, devices) }
    guard report.isEmpty, let name, let console, let machines else { return nil }
    return System(
      name: name, console: console, switches: switches, disks: disks, machines: machines,
      declaredCores: computer?.cores, declaredMemory: computer?.memory, threads: computer?.threads ?? .refuse,
      allowsUnprotectedDMA: computer?.allowsUnprotectedDMA ?? false, onPanic: onPanic == "reboot" ? .reboot : .stop)
  }

  private mutating func refuseRoot(_ root: Value) {
    switch root.content {
    case .refused: break
    case .nothing: report.add(.file(.empty), at: root.place)
    default:
      let problem = ShapeProblem.wrongType(
        subject: "the description", expected: "a map", found: root.kind, example: Key.name.example)
      report.add(.shape(problem), at: root.place)
    }
  }

  private mutating func readConsole(_ value: Value) -> ConsolePort? {
    let fields = report.fields(of: value, as: .console, owner: "'console'", at: value.place)
    let baud = fields[.baud].map { report.word($0, of: .baud).flatMap { Int($0) } } ?? 115_200
    let interrupt = fields[.uartInterrupt].map { report.number($0, in: Limits.uartInterrupts, of: .uartInterrupt) }
    guard let uart = fields[.uart].flatMap({ report.uart($0, interrupt: interrupt) }), let baud else { return nil }
    return ConsolePort(uart: uart, baud: baud)
  }

  /// What the description says of the computer; a part that is wrong counts as not given.
  private struct Computer {
    var cores: Int?
    var memory: UInt64?
    var threads = ThreadPolicy.refuse
    var allowsUnprotectedDMA = false
  }

  private mutating func readComputer(_ value: Value) -> Computer {
    let fields = report.fields(of: value, as: .machine, owner: "'machine'", at: value.place)
    var computer = Computer()
    computer.cores = fields[.computerCores].flatMap {
      report.number($0, in: 1...Limits.cores, of: .computerCores)
    }
    let threads = fields[.threads].flatMap { report.word($0, of: .threads) }
    computer.threads = threads.flatMap { ThreadPolicy(word: $0) } ?? .refuse
    computer.allowsUnprotectedDMA = fields[.unprotectedDMA].flatMap { report.word($0, of: .unprotectedDMA) } == "true"
    if let value = fields[.computerMemory], let memory = report.size(value, of: .computerMemory) {
      if memory < Limits.reserve + Limits.leastMemory {
        report.add(.resource(.computerTooSmall(memory)), at: value.place)
      } else {
        computer.memory = memory
      }
    }
    return computer
  }

  /// The switches; one that is wrong is reported and left out.
  private mutating func readSwitches(
    _ value: Value?, besides machines: Value?, on computer: Computer?
  ) -> [VirtualSwitch] {
    guard let value else { return [] }
    let entries = report.uniqueEntries(of: value) { .repeatedName($0, kind: "switch", firstLine: $1) }
    if entries.count > Limits.switches {
      report.add(.network(.tooManySwitches(count: entries.count)), at: entries[Limits.switches].place)
    }
    let reader = SwitchReader(cores: computer?.cores, machines: machines?.entries ?? [])
    return entries.compactMap { reader.read($0, &report) }
  }

  /// The disks; one that is wrong is reported and left out.
  private mutating func readDisks(_ value: Value?, _ fields: Fields, on computer: Computer?) -> [Disk] {
    guard let value else { return [] }
    let entries = report.uniqueEntries(of: value) { .repeatedName($0, kind: "disk", firstLine: $1) }
    if entries.count > Limits.disks {
      report.add(.disk(.tooManyDisks(count: entries.count)), at: entries[Limits.disks].place)
    }
    var reader = DiskReader(
      files: files, cores: computer?.cores, machines: fields[.machines]?.entries ?? [],
      switches: fields[.switches]?.entries ?? [])
    return entries.compactMap { reader.read($0, &report) }
  }

  private mutating func readMachines(
    _ value: Value, on computer: Computer?, _ network: NetworkReader, _ shares: ShareReader, _ devices: DeviceReader
  ) -> [VirtualMachine]? {
    let entries = report.uniqueEntries(of: value) { .repeatedName($0, kind: "VM", firstLine: $1) }
    if entries.isEmpty { report.add(.resource(.noMachines), at: value.place) }
    if entries.count > Limits.machines {
      report.add(.resource(.tooManyMachines(count: entries.count)), at: entries[Limits.machines].place)
    }
    var reader = MachineReader(
      files: files, cores: computer?.cores, memory: computer?.memory, network: network, shares: shares,
      devices: devices, report: report)
    let machines = entries.map { reader.read($0) }
    report = reader.report
    let complete = machines.compactMap(\.self)
    return complete.count == machines.count ? complete : nil
  }
}
