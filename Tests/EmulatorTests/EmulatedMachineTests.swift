// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Emulator

struct MachineTests {
  private func machine(_ change: (inout EmulatedMachine) -> Void = { _ in }) -> EmulatedMachine {
    var machine = EmulatedMachine(kernel: "K", image: "I", memoryMiB: 8192, cores: 2, accelerator: .tcg)
    change(&machine)
    return machine
  }

  /// The values of an option, in the order given.
  private func values(of option: String, in machine: EmulatedMachine) -> [String] {
    zip(machine.arguments, machine.arguments.dropFirst()).filter { $0.0 == option }.map(\.1)
  }

  @Test func `a machine has the kernel, the image, and as much as it was given`() {
    let machine = machine()
    #expect(values(of: "-kernel", in: machine) == ["K"])
    #expect(values(of: "-initrd", in: machine) == ["I"])
    #expect(values(of: "-m", in: machine) == ["8192M"])
    // One to spare, as TCG changes the state of the first from the others.
    #expect(values(of: "-smp", in: machine) == ["3"])
    #expect(machine.arguments.contains("-no-reboot"))
  }

  @Test func `TCG gets the processor whose virtualisation it emulates, KVM the host's`() {
    #expect(values(of: "-cpu", in: machine()) == ["EPYC,+svm,+npt"])
    #expect(values(of: "-cpu", in: machine { $0.accelerator = .kvm }) == ["host"])
    #expect(values(of: "-accel", in: machine { $0.accelerator = .kvm }) == ["kvm"])
  }

  @Test func `the console is on the port that the description names`() {
    let first = machine { $0.console = Console(port: .com1, line: .standardStreams) }
    let second = machine { $0.console = Console(port: .com2, line: .standardStreams) }
    #expect(values(of: "-serial", in: first) == ["chardev:console", "null"])
    #expect(values(of: "-serial", in: second) == ["null", "chardev:console"])
    #expect(values(of: "-chardev", in: second) == ["stdio,id=console,signal=off"])
  }

  @Test func `a console socket waits for its reader, whatever its path is called`() {
    let machine = machine { $0.console = Console(port: .com1, line: .socket(path: "/tmp/a,b")) }
    #expect(values(of: "-chardev", in: machine) == ["socket,id=console,path=/tmp/a,,b,server=on,wait=on"])
  }

  @Test func `debugging stops the machine before its first instruction`() {
    let machine = machine { $0.debugSocket = "/tmp/gdb" }
    #expect(machine.arguments.contains("-S"))
    #expect(values(of: "-gdb", in: machine) == ["chardev:gdb"])
    #expect(!self.machine().arguments.contains("-S"))
  }
}

struct DriveTests {
  private func arguments(_ drives: EmulatedDrive...) -> [String] { EmulatedDrive.arguments(drives) }

  @Test func `a drive is behind a controller at its place, and function 0 of that device is there`() {
    let drive = EmulatedDrive(path: "a,b.img", serial: "sata0", place: (0x11, 5))
    #expect(
      arguments(drive) == [
        "-device", "pci-testdev,bus=pcie.0,addr=0x11.0,multifunction=on",
        "-drive", "file=a,,b.img,if=none,id=drive0,format=raw,discard=unmap",
        "-device", "ich9-ahci,id=ahci0,bus=pcie.0,addr=0x11.5,multifunction=on",
        "-device", "ide-hd,drive=drive0,bus=ahci0.0,serial=sata0",
      ])
  }

  @Test func `the chipset's device and one with a function 0 need no filler`() {
    #expect(!arguments(EmulatedDrive(path: "a", serial: "a", place: (0x1f, 2))).joined().contains("testdev"))
    #expect(!arguments(EmulatedDrive(path: "a", serial: "a", place: (4, 0))).joined().contains("testdev"))
    #expect(!arguments(EmulatedDrive(path: "a", serial: "a")).joined().contains("addr"))
  }
}
