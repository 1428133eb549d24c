// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI

// The keys of a description. systems/schema.json is written from these tables, and a test compares the two.

extension Key {
  static let name = Key(
    name: "name", isRequired: true, form: .text(pattern: Pattern.name, maximum: Limits.nameLength),
    example: "name: test-rig", summary: "The name of the system.")
  static let machine = Key(
    name: "machine", form: .section(.machine), example: "machine: { cores: 2, memory: 8 GiB }",
    summary: "The computer that the system is for.")
  static let console = Key(
    name: "console", isRequired: true, form: .section(.console), example: "console: { uart: com1 }",
    summary: "The serial port that people sit at.")
  static let machines = Key(
    name: "vms", isRequired: true, form: .named(.virtualMachine, count: 1...Limits.machines),
    example: "vms: { vm0: { memory: 128 MiB, cores: [0], kernel: debian:i386 } }",
    summary: "The virtual machines by name; the first is number 0 at the console.")

  static let onPanic = Key(
    name: "on-panic", form: .word(["stop", "reboot"]), example: "on-panic: reboot",
    summary: "What happens to the computer when the kernel cannot go on; stop if not given.")

  static let computerCores = Key(
    name: "cores", form: .number(1...Limits.cores), example: "cores: 2",
    summary: "How many cores the computer has.")
  static let computerMemory = Key(
    name: "memory", form: .text(pattern: Pattern.size, maximum: nil), example: "memory: 8 GiB",
    summary: "How much memory the computer has.")
  static let threads = Key(
    name: "threads", form: .word(ThreadPolicy.words), example: "threads: warn",
    summary: "What becomes of a VM beside another VM or a server on hyper-threads of one core; refuse if not given.")

  static let uart = Key(
    name: "uart", isRequired: true, form: .port(pattern: Pattern.uart, 0x100...0xfff8), example: "uart: com1",
    summary: "The serial port of the computer: com1 to com4, or the first of its I/O ports.")
  static let uartInterrupt = Key(
    name: "interrupt", form: .number(Limits.uartInterrupts), example: "interrupt: 10",
    summary: "The interrupt of the serial port: below 16 an ISA interrupt, else a GSI; that of com1 to com4 is known.")
  static let baud = Key(
    name: "baud", form: .choice([9600, 19200, 38400, 57600, 115_200]), example: "baud: 115200",
    summary: "Bits per second; 115200 if not given.")

  static let memory = Key(
    name: "memory", isRequired: true, form: .text(pattern: Pattern.size, maximum: nil), example: "memory: 1900 MiB",
    summary: "The VM's memory, a multiple of 2 MiB.")
  static let cores = Key(
    name: "cores", isRequired: true, form: .list(.number(0...(Limits.cores - 1)), count: 1...1),
    example: "cores: [0]", summary: "The cores its vCPUs run on: one vCPU per entry, at present exactly one.")
  static let ifCoreMissing = Key(
    name: "if-core-missing", form: .word(MissingCore.allCases.map(\.rawValue)), example: "if-core-missing: place",
    summary: "What happens if its core is not there or does not start: refuse keeps the VM off; refuse if not given.")
  static let kernel = Key(
    name: "kernel", isRequired: true, form: .text(pattern: Pattern.kernel, maximum: nil),
    example: "kernel: debian:i386",
    summary: "debian:i386, debian:amd64, or the path of a bzImage, from this file's folder.")
  static let initrd = Key(
    name: "initrd", form: .text(pattern: Pattern.initrd, maximum: nil), example: "initrd: guest:busybox",
    summary: "guest:busybox, or the path of an initial RAM disk, from this file's folder.")
  static let commandLine = Key(
    name: "command-line", form: .text(pattern: Pattern.printable, maximum: Limits.commandLine),
    example: "command-line: console=ttyS0,115200",
    summary: "The kernel's command line; console=ttyS0,115200 if not given.")
  static let onCrash = Key(
    name: "on-crash", form: .word(["stop", "restart"]), example: "on-crash: restart",
    summary: "What happens when the VM fails; stop if not given.")
}

extension Section {
  static let system = Section(
    title: "a system", keys: [.name, .onPanic, .machine, .console, .switches, .disks, .machines])
  static let machine = Section(title: "'machine'", keys: [.computerCores, .computerMemory, .threads, .unprotectedDMA])
  static let console = Section(title: "'console'", keys: [.uart, .uartInterrupt, .baud])
  static let virtualMachine = Section(
    title: "a VM",
    keys: [
      .memory, .cores, .ifCoreMissing, .kernel, .initrd, .commandLine, .onCrash, .cards, .shares, .devices,
    ])
}
