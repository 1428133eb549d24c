// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import HostTools
import Subprocess
package import SystemPackage

/// Runs a machine in QEMU, with a person (or a program) at its console.
package struct EmulatorSession: Sendable {
  private let machine: EmulatedMachine
  private let messages: FilePath

  /// - Parameter messages: A file for what the emulator itself says, which would garble the console.
  package init(_ machine: EmulatedMachine, messages: FilePath) {
    self.machine = machine
    self.messages = messages
  }

  /// Gives the console to the terminal this process was started from, until the machine ends or the person leaves.
  package func interactive() async throws -> SessionEnd {
    let (ours, theirs) = try Descriptor.socketPair()
    defer { ours.close() }
    var console = machine
    console.console?.line = .standardStreams
    let input = FileDescriptor(rawValue: theirs.number)
    let output = try input.duplicate()
    return try await Self.run(
      console, messages: messages,
      input: .fileDescriptor(input, closeAfterSpawningProcess: true),
      output: .fileDescriptor(output, closeAfterSpawningProcess: true)
    ) { _, signals in
      let terminal = RawTerminal(STDIN_FILENO)
      let end = ConsolePump(
        keyboard: Descriptor(number: STDIN_FILENO), screen: Descriptor(number: STDOUT_FILENO),
        machine: ours, signals: signals
      ).run()
      if let terminal {
        // A line of its own and plain colours for whoever writes next.
        _ = Descriptor(number: STDOUT_FILENO).writeAll(Array("\u{1b}[0m\r\n".utf8)[...])
        terminal.restore()
      }
      return end
    }
  }

  /// Runs the machine with its console on the socket that the machine names, until it ends or this process is told to.
  /// - Parameter started: Called with the emulator's process number.
  package func headless(started: @escaping @Sendable (Int) -> Void) async throws -> SessionEnd {
    // The emulator holds the other end as its standard input, which it does not read: its end is the emulator's.
    let (ours, theirs) = try Descriptor.socketPair()
    defer { ours.close() }
    return try await Self.run(
      machine, messages: messages,
      input: .fileDescriptor(FileDescriptor(rawValue: theirs.number), closeAfterSpawningProcess: true),
      output: .discarded
    ) { process, signals in
      started(process)
      let none = Descriptor(number: -1)
      return ConsolePump(
        keyboard: none, screen: none, machine: ours, signals: signals
      ).run()
    }
  }

  private static func run<Input: InputProtocol, Output: OutputProtocol>(
    _ machine: EmulatedMachine, messages: FilePath, input: Input, output: Output,
    _ body: @escaping @Sendable (_ process: Int, _ signals: Descriptor) -> SessionEnd
  ) async throws -> SessionEnd {
    // A terminal that goes away must not take this process with it before the machine is stopped.
    _ = signal(SIGPIPE, SIG_IGN)
    let signals = try TerminationSignals()
    let log = try OutputFile.open(OutputPlace(messages))
    do {
      let arrivals = signals.arrivals
      let result = try await Subprocess.run(
        .name(Tool.emulator.name), arguments: Arguments(machine.arguments),
        input: input, output: output, error: .fileDescriptor(log, closeAfterSpawningProcess: true)
      ) { execution in
        let process = Int(execution.processIdentifier.value)
        let end = await onThread { body(process, arrivals) }
        if end != .machineEnded { try? execution.send(signal: .terminate) }
        return end
      }
      withExtendedLifetime(signals) {}
      if result.closureResult == .machineEnded {
        let words = EmulatorMessages(file: messages)
        if words.tellsOfTripleFault {
          throw ToolFailure.failed(.emulator, saying: "a processor of the machine triple-faulted, which reset it")
        }
        guard result.terminationStatus.isSuccess else {
          throw ToolFailure.failed(.emulator, saying: words.last ?? "\(result.terminationStatus)")
        }
      }
      return result.closureResult
    } catch let error as SubprocessError where error.code == .executableNotFound {
      throw ToolFailure.missing(.emulator)
    }
  }
}

/// Runs what blocks on a thread of its own: those of Swift's tasks are few, and must never wait.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
  await withCheckedContinuation { continuation in
    DispatchQueue.global().async { continuation.resume(returning: body()) }
  }
}
