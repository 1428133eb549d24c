// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Description

/// Decides what the domains of a system are and what each may reach.
struct SystemLayout {
  var builder: ImageBuilder
  let system: System
  private var vmm = Program()
  private var console = Program()
  private(set) var switchServer = Program()
  private(set) var diskServer = Program()
  /// The parts of each VM's memory.
  private(set) var guestMemory: [[GuestPart]] = []

  /// The files of a program in the image.
  struct Program {
    var file: UInt32 = 0
    var symbols = DomainRecord.noIndex
  }

  /// A part of a VM's memory.
  struct GuestPart {
    var region: UInt32
    /// From the place of guest address 0, in a server that moves data for the VM.
    var offset: UInt64
  }

  /// The console's domain.
  static let consoleDomain: UInt32 = 0

  init(_ system: System) {
    self.system = system
    builder = ImageBuilder(
      name: ShortName(text: system.name), onPanic: system.onPanic, threads: system.threads)
  }

  mutating func addPrograms(_ programs: Programs) throws(PackingError) {
    console = try add(program: "console", programs.console)
    vmm = try add(program: "vmm", programs.vmm)
    if !system.switches.isEmpty { switchServer = try add(program: "switch", programs.switchServer) }
    if !system.disks.isEmpty { diskServer = try add(program: "disk", programs.diskServer) }
    do throws(ELFFileError) {
      let symbols = try SymbolFile.make(from: ELFFile(programs.kernel))
      if let symbols { _ = builder.add(file: "\(FileRecord.kernelSymbols)", symbols, isMaterial: true) }
    } catch {
      throw .badProgram("kernel", error)
    }
  }

  private mutating func add(program name: String, _ bytes: [UInt8]) throws(PackingError) -> Program {
    do throws(ELFFileError) {
      let elf = try ELFFile(bytes)
      var program = Program(file: builder.add(file: name, try elf.stripped(), isMaterial: true))
      if let symbols = try SymbolFile.make(from: elf) {
        program.symbols = builder.add(file: name + ".symbols", symbols, isMaterial: true)
      }
      return program
    } catch {
      throw .badProgram(name, error)
    }
  }
}

// MARK: - The console

extension SystemLayout {
  mutating func addConsole() {
    let uart = system.console.uart
    let domain = builder.add(
      DomainRecord(
        name: ShortName("console"), program: console.file, symbols: console.symbols, core: 0, priority: 5,
        traits: .controlsDomains | .showsLog | .mayMove, onCrash: .restart))
    builder.map(builder.add(.log, size: LogRing.size), into: domain, at: AddressMap.log, isWritable: false)
    let statusSize = UInt64(1 + system.machines.count + system.switches.count + system.disks.count) * 4096
    builder.map(builder.add(.status, size: statusSize), into: domain, at: AddressMap.status, isWritable: false)
    let workspace = builder.add(.workspace, size: ConsoleWorkspace.size(machines: system.machines.count))
    builder.map(workspace, into: domain, at: AddressMap.workspace, isWritable: true)
    let configuration = builder.add(file: "console.configuration", consoleConfiguration())
    builder.map(file: configuration, into: domain, at: AddressMap.configuration)
    builder.add(PortRecord(domain: domain, first: uart.port, count: 8))
    builder.add(
      InterruptRecord(
        domain: domain, slot: UInt16(ConsoleConfiguration.interruptSlot), isISA: uart.interrupt < 16,
        source: UInt32(uart.interrupt)))
  }

  private func consoleConfiguration() -> [UInt8] {
    var configuration = ConsoleConfiguration()
    configuration.port = system.console.uart.port
    configuration.baud = UInt32(system.console.baud)
    configuration.count = UInt16(system.machines.count)
    configuration.switchCount = UInt32(system.switches.count)
    configuration.diskCount = UInt32(system.disks.count)
    configuration.system = ShortName(text: system.name)
    for (number, machine) in system.machines.enumerated() {
      configuration.machines[number].name = ShortName(text: machine.name)
      configuration.machines[number].domain = Self.domain(ofMachine: number)
      configuration.machines[number].memory = machine.memory
    }
    var bytes: [UInt8] = []
    bytes.append(record: configuration)
    return bytes
  }

  /// The domain of a VM's VMM.
  static func domain(ofMachine number: Int) -> UInt32 { consoleDomain + 1 + UInt32(number) }
}

// MARK: - The VMMs

extension SystemLayout {
  mutating func add(_ machine: VirtualMachine, number: Int, boot: GuestBoot) throws(PackingError) {
    let domain = builder.add(
      DomainRecord(
        name: ShortName(text: machine.name), program: vmm.file, symbols: vmm.symbols, core: UInt16(machine.core),
        priority: 3,
        traits: machine.ifCoreMissing == .place ? .hasVirtualCPU | .mayMove : .hasVirtualCPU, onCrash: machine.onCrash))
    var configuration = VMMConfiguration()
    configuration.index = UInt32(number)
    configuration.name = ShortName(text: machine.name)
    addMemory(of: machine, domain, &configuration)
    describeDevices(of: machine, in: &configuration)
    add(machine.devices, domain, &configuration)
    addOverlay(domain)
    try addBoot(boot, of: machine, domain, &configuration)
    for (index, byte) in machine.commandLine.utf8.prefix(VMMConfiguration.commandLineCapacity - 1).enumerated() {
      configuration.commandLine[index] = byte
    }
    addConsoleChannel(number, domain)
    var bytes: [UInt8] = []
    bytes.append(record: configuration)
    let file = builder.add(file: "configuration.\(number)", bytes)
    builder.map(file: file, into: domain, at: AddressMap.configuration)
  }

  /// The guest's memory, with a hole for devices below 4 GiB.
  private mutating func addMemory(
    of machine: VirtualMachine, _ domain: UInt32, _ configuration: inout VMMConfiguration
  ) {
    (configuration.lowSize, configuration.highSize) = Self.memorySizes(of: machine)
    let parts = [
      (configuration.lowSize, AddressMap.guestLow, 0, 0),
      (configuration.highSize, AddressMap.guestHigh, GuestMemory.highStart, AddressMap.guestHighOffset),
    ]
    var memory: [GuestPart] = []
    for (size, address, guestAddress, offset) in parts where size > 0 {
      let region = builder.add(.guestMemory, size: size)
      builder.map(region, into: domain, at: address, isWritable: true)
      builder.add(GuestMappingRecord(domain: domain, region: region, address: guestAddress))
      memory.append(GuestPart(region: region, offset: offset))
    }
    guestMemory.append(memory)
  }

  /// Bytes of a VM's memory below the hole, and from 4 GiB.
  static func memorySizes(of machine: VirtualMachine) -> (low: UInt64, high: UInt64) {
    let low = min(machine.memory, 3 * .GiB)
    return (low, machine.memory - low)
  }

  /// The page that stands for the local APIC's registers, which a PC has at 0xFEE00000.
  private mutating func addOverlay(_ domain: UInt32) {
    let region = builder.add(.workspace, size: 4096)
    builder.map(region, into: domain, at: AddressMap.overlay, isWritable: true)
    builder.add(GuestMappingRecord(domain: domain, region: region, address: 0xfee0_0000, isOverlay: true))
  }

  private mutating func addBoot(
    _ boot: GuestBoot, of machine: VirtualMachine, _ domain: UInt32, _ configuration: inout VMMConfiguration
  ) throws(PackingError) {
    let kernel = builder.addShared(file: "guest-kernel", boot.kernel)
    builder.map(file: kernel, into: domain, at: AddressMap.guestKernel)
    configuration.kernelSize = UInt64(boot.kernel.count)
    for piece in boot.initrd where !piece.isEmpty {
      let offset = configuration.initrdSize.roundedUp(to: 4096) ?? 0
      let file = builder.addShared(file: "guest-initrd", piece)
      builder.map(file: file, into: domain, at: AddressMap.guestInitrd + offset)
      configuration.initrdSize = offset + UInt64(piece.count)
    }
    guard configuration.kernelSize <= AddressMap.guestInitrd - AddressMap.guestKernel,
      configuration.initrdSize <= AddressMap.guestLow - AddressMap.guestInitrd
    else { throw .tooLarge(machine: machine.name) }
  }

  /// Two rings and a pair of notifications between a VMM and the console.
  private mutating func addConsoleChannel(_ number: Int, _ domain: UInt32) {
    let slots = (console: number, vmm: VMMConfiguration.consoleSlot)
    builder.add(
      ChannelRecord(
        firstDomain: Self.consoleDomain, firstSlot: UInt16(slots.console), secondDomain: domain,
        secondSlot: UInt16(slots.vmm)))
    let rings = [
      (ConsoleChannel.outputOffset, ConsoleChannel.outputSize), (ConsoleChannel.inputOffset, ConsoleChannel.inputSize),
    ]
    for (offset, size) in rings {
      let region = builder.add(.shared, size: size)
      for (domain, slot) in [(Self.consoleDomain, slots.console), (domain, slots.vmm)] {
        let address = AddressMap.channels + UInt64(slot) * AddressMap.channelStride + offset
        builder.map(region, into: domain, at: address, isWritable: true)
      }
    }
  }
}
