// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Bits
import Description
import Emulator
import HostTools
import ImagePacking
import SystemPackage

/// `roost run`: boots a system in QEMU.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs a system in an emulator and puts you at its console.",
    discussion: "Control-] leaves and ends the machine.")

  @OptionGroup var system: SystemArguments

  @Option(help: "Memory of the computer, such as '8 GiB'. (default: what the system needs)")
  var memory: MemorySize?

  @Option(help: "Cores of the computer. (default: what the system needs)")
  var cores: Int?

  @Option(
    help: ArgumentHelp(
      "The file that stands for a disk of the system, made if it is not there. (default: one in the cache)",
      valueName: "name=path"), completion: .file())
  var disk: [DiskFile] = []

  @Option(help: "What runs the instructions: KVM is fast, TCG works everywhere.")
  var accelerator = AcceleratorRequest.auto

  @Flag(help: "Wait for gdb before the first instruction, and say how to connect it.")
  var debug = false

  @Flag(help: "Put the console on a Unix socket instead of this terminal.")
  var headless = false

  @Option(help: "The Unix socket, for --headless; the machine starts when something connects.", completion: .file())
  var consoleSocket: String?

  @OptionGroup var options: CommonOptions

  func validate() throws {
    if headless != (consoleSocket != nil) { throw ValidationError("--headless and --console-socket go together.") }
    if let cores, !(1...Limits.cores).contains(cores) {
      throw ValidationError("--cores must be between 1 and \(Limits.cores).")
    }
  }

  func run() async throws {
    let end = try await Failure.wrapping {
      let description = try system.load()
      if let consoleSocket { try OutputPlace(FilePath(consoleSocket)).requireSocket() }
      // Said before a long build, not after it.
      try await ToolRunner.require(.emulator)
      let (machine, project) = try await prepare(description)
      return try await start(machine, description, project)
    }
    if case .signalled(let number) = end { throw Failure.signalled(number) }
  }

  /// Builds what the emulator needs, and decides what it emulates.
  private func prepare(_ description: System) async throws -> (EmulatedMachine, Project) {
    let project = Project()
    let programs = try await TargetPrograms(
      folder: system.components, project: project, tools: options.tools, reporter: options.reporter)
    let bytes = try await SystemImage(project: project, options: options)
      .packed(description, programs: try programs.load(for: description)).bytes
    let image = project.cache.appending("images/\(description.name).image")
    try WholeFile.write(bytes, to: image)

    let decision = try await AcceleratorProbe(kernel: programs.kernel).decide(accelerator)
    let needs = description.requirements
    var machine = EmulatedMachine(
      kernel: programs.kernel, image: image.string, memoryMiB: memory?.mebibytes ?? Int(needs.memory / .MiB),
      cores: cores ?? needs.cores, accelerator: decision.accelerator)
    let line: ConsoleLine = consoleSocket.map { .socket(path: $0) } ?? .standardStreams
    machine.console = Console(port: description.console.uart.emulated, line: line)
    machine.cards = description.machines.flatMap(\.devices).map {
      EmulatedCard(bus: $0.bus, device: $0.device, function: $0.function)
    }
    machine.drives = try DiskFiles(
      system: description, inputs: system.inputs(of: description), project: project, reporter: options.reporter
    ).drives(disk)
    if debug { machine.debugSocket = project.cache.appending("\(description.name).gdb").string }
    options.reporter.step(
      "run", "\(machine.cores.cores), \(machine.memoryMiB) MiB, QEMU with \(decision)")
    return (machine, project)
  }

  private func start(
    _ machine: EmulatedMachine, _ description: System, _ project: Project
  ) async throws -> SessionEnd {
    let session = EmulatorSession(machine, messages: project.cache.appending("\(description.name).qemu.log"))
    if let socket = machine.debugSocket {
      options.reporter.step("debug", "gdb -ex 'target remote \(socket)' \(machine.kernel)")
    }
    guard let consoleSocket else {
      options.reporter.step("console", "@ and a digit goes to that VM, @? helps; Control-] leaves")
      return try await session.interactive()
    }
    return try await session.headless { process in
      // One write, so that a reader of the pipe never sees half of it.
      StandardOutput.write("emulator \(process)\nconsole \(consoleSocket)\n")
    }
  }
}

extension UART {
  fileprivate var emulated: SerialPort {
    switch self {
    case .com1: .com1
    case .com2: .com2
    // The emulator's own numbers of lines are those of ISA.
    default: .other(port: port, interrupt: min(interrupt, 15))
    }
  }
}

extension MemorySize: ExpressibleByArgument {
  package init?(argument: String) { self.init(argument) }
}

extension AcceleratorRequest: ExpressibleByArgument {}
