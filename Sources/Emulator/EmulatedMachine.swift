// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The serial port of the emulated machine that carries the console.
package enum SerialPort: Equatable, Sendable {
  case com1, com2
  /// One elsewhere, by its first I/O port and its ISA interrupt.
  case other(port: UInt16, interrupt: Int)
}

/// Where the console's bytes go.
package enum ConsoleLine: Equatable, Sendable {
  /// The emulator's standard input and output.
  case standardStreams
  /// A Unix socket at this path; the machine does not start before somebody is connected, so that nothing is lost.
  case socket(path: String)
}

/// The machine's console.
package struct Console: Equatable, Sendable {
  package var port: SerialPort
  package var line: ConsoleLine

  package init(port: SerialPort, line: ConsoleLine) {
    self.port = port
    self.line = line
  }
}

/// What runs the machine's instructions.
package enum Accelerator: String, Sendable {
  /// The host's processor, which must let guests have guests of their own.
  case kvm
  /// Translation by QEMU.
  case tcg
}

/// A machine for QEMU to emulate.
package struct EmulatedMachine: Equatable, Sendable {
  package var kernel: String
  /// The boot image.
  package var image: String?
  package var commandLine: String?
  package var memoryMiB: Int
  /// The cores that Roost runs components and guests on.
  package var cores: Int
  package var accelerator: Accelerator
  package var console: Console?
  package var drives: [EmulatedDrive] = []
  /// A Unix socket for gdb; the machine then waits for it before the first instruction.
  package var debugSocket: String?
  /// Whether the kernel can end the emulator, with a status.
  package var hasExitDevice = false
  /// Network cards that VMs have for themselves, with an IOMMU before them.
  package var cards: [EmulatedCard] = []

  package init(kernel: String, image: String?, memoryMiB: Int, cores: Int, accelerator: Accelerator) {
    self.kernel = kernel
    self.image = image
    self.memoryMiB = memoryMiB
    self.cores = cores
    self.accelerator = accelerator
  }

  /// The arguments for QEMU.
  package var arguments: [String] {
    acceleratorArguments + [
      "-machine", "q35,sata=off", "-smp", "\(processors)", "-m", "\(memoryMiB)M",
      "-nodefaults", "-display", "none", "-no-reboot", "-kernel", kernel,
      // Has the emulator tell of a triple fault, which would else look as if somebody had switched the machine off.
      "-d", "cpu_reset",
    ]
      + option("-initrd", image) + option("-append", commandLine)
      + consoleArguments + remappingArguments + EmulatedDrive.arguments(drives) + debugArguments
      + option("-device", hasExitDevice ? "isa-debug-exit,iobase=0xf4,iosize=0x04" : nil)
      + cardArguments
  }

  /// With TCG one processor more than Roost has cores: the first one is left idle, since QEMU lets the others change its
  /// state while it enters and leaves guests (decision 14).
  private var processors: Int { accelerator == .tcg ? cores + 1 : cores }

  private var acceleratorArguments: [String] {
    switch accelerator {
    case .kvm: ["-accel", "kvm", "-cpu", "host"]
    // The only CPU model with the virtualisation that TCG emulates: AMD's.
    case .tcg: ["-accel", "tcg,thread=multi", "-cpu", "EPYC,+svm,+npt"]
    }
  }

  private var consoleArguments: [String] {
    guard let console else { return ["-serial", "none"] }
    let line =
      switch console.line {
      case .standardStreams: "stdio,id=console,signal=off"
      case .socket(let path): "socket,id=console,path=\(Self.escaped(path)),server=on,wait=on"
      }
    // The first -serial is COM1, the second COM2.
    let ports =
      switch console.port {
      case .com1: ["-serial", "chardev:console", "-serial", "null"]
      case .com2: ["-serial", "null", "-serial", "chardev:console"]
      case .other(let port, let interrupt):
        ["-device", "isa-serial,chardev=console,iobase=0x\(String(port, radix: 16)),irq=\(interrupt)"]
      }
    return ["-chardev", line] + ports
  }

  private var debugArguments: [String] {
    guard let debugSocket else { return [] }
    return [
      "-S", "-chardev", "socket,id=gdb,path=\(Self.escaped(debugSocket)),server=on,wait=off", "-gdb", "chardev:gdb",
    ]
  }

  private func option(_ name: String, _ value: String?) -> [String] { value.map { [name, $0] } ?? [] }

  /// In a device's options a comma ends a value unless it is doubled.
  static func escaped(_ path: String) -> String {
    path.split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
  }
}
