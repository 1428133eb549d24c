// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import BootReport
import CX86
import Firmware
import IOMMU
import Processors
import Speculation
import Synchronization
import X86

/// The boot image turned into domains, threads and vCPUs, with all the memory they will ever have.
struct SystemSetup {
  let kernel: Kernel
  private let cores: CoreTable

  init(
    _ loader: BootInformation, _ host: BootHost, _ physical: borrowing MachineMemory, _ phases: inout BootPhases,
    _ memory: inout BootMemory
  ) throws(BootError) {
    guard let image = loader.bootImage else { throw .refused("the boot loader handed over no boot image") }
    let reader = try Self.read(Self.bytes(of: image, physical), Self.bytes(of: loader.material, physical))
    let place = ImagePlace(image, material: loader.material, reader)
    Self.prepareForPanic(reader, place, host.machine.fixed)
    Self.useConsolePort(reader, host.dataArea)
    let machine = host.machine
    let local = Self.enableAPIC(host)
    let clock = try Clock.measure(ReferenceClock.find(machine), apic: local, features: host.features)
    phases.end("clock", at: cx86_rdtsc())
    cores = try CoreTable.make(reader, host, clock, local, &memory)
    let placement = Self.placement(reader, host, cores)
    phases.end("cores", at: cx86_rdtsc())

    let interrupts = try InterruptControllers(machine, local, &memory)
    let information = try Self.information(clock, host, cores.running.count, &memory)
    let bus = try MachineBus(
      machine, host.access, hasDevices: reader.count(.devices) > 0, information.value.scale, &memory)
    phases.end("devices", at: cx86_rdtsc())
    let builder = try DomainBuilder(reader, place, host.space, information, placement, bus, &memory)
    let domains = try BootMemory.table(reader.count(.domains), in: &memory) { index, memory throws(BootError) in
      try builder.domain(index, &memory)
    }
    let virtualCPUs = try builder.virtualCPUs(host, domains, cores.cores, &memory)
    let threads = try builder.threads(domains, &memory)
    var devices = DeviceAssignment(
      reader, machine, bus, interrupts, cores.cores, domains, placement, claimed: loader.memoryMap)
    try devices.assign(builder, threads, virtualCPUs, &memory)
    let lines = try InterruptRouting(reader, machine, interrupts, bus.remapping, placement)
      .lines(cores.cores, domains, devices.lines, &memory)
    kernel = Kernel(
      domains: domains, threads: threads, virtualCPUs: virtualCPUs, cores: cores.cores, lines: lines,
      interrupts: interrupts, features: host.features, support: host.support, information: information,
      space: host.space, checks: try builder.checks(host, clock, &memory), access: bus.access, functions: bus.functions,
      passed: try devices.makePassed(&memory), owners: try devices.makeOwners(&memory), remapping: bus.remapping)
    try Self.finish(kernel, cores, bus, builder, &memory)
    information.value.memoryOutsideGuests = memory.used + place.size + KernelSpace.size
    phases.end("VMs and servers", at: cx86_rdtsc())
    SystemReport(reader, host, cores, placement, builder.regions, bus, devices.given, clock, kernel)
      .show(phases, free: memory.map.freeBytes)
  }

  /// What is left when all is dealt out; from here on tables are read-only.
  private static func finish(
    _ kernel: Kernel, _ cores: CoreTable, _ bus: MachineBus, _ builder: borrowing DomainBuilder,
    _ memory: inout BootMemory
  ) throws(BootError) {
    reportFaults(bus, cores.cores)
    try placeThreads(kernel)
    try cores.tell(kernel, &memory)
    try memory.seal()
    try KernelSpace.check(kernel.space, builder, kernel.passed, memory)
  }

  /// This core's own controller, switched on.
  private static func enableAPIC(_ host: BootHost) -> LocalAPIC {
    let local = LocalAPIC(MachineAPIC(host.machine.apicMode, base: host.machine.topology.localAPIC))
    local.enable(
      usesDeadline: host.features.hasTSCDeadline, LocalInputs(host.machine.topology, of: host.machine.threads.number))
    return local
  }

  /// Which core each domain has.
  private static func placement(_ reader: borrowing BootImage, _ host: BootHost, _ cores: CoreTable) -> CorePlacement {
    var placement = CorePlacement(reader, on: cores.running)
    placement.separate(reader, host, cores.cores)
    return placement
  }

  /// Lets the cores run their threads, this one too unless it is to spare.
  func run(_ options: KernelOptions) {
    panicState.isTest.store(options.isPanicTest, ordering: .relaxed)
    cores.release()
    if cores.sparesBootCore { cores.parking.parkThis() }
    kernelCoreStart(cores.launches.cell(0).address)
  }

  /// The bytes of a module; none if there is no such module.
  @_lifetime(borrow physical)
  private static func bytes(
    of module: PhysicalRange?, _ physical: borrowing MachineMemory
  ) throws(BootError) -> RawSpan {
    guard let module else { return RawSpan() }
    guard let bytes = physical.bytes(at: module.start, count: module.size) else {
      throw .refused("the boot image lies where no memory is")
    }
    return bytes
  }

  @_lifetime(copy bytes, copy material)
  private static func read(_ bytes: RawSpan, _ material: RawSpan) throws(BootError) -> BootImage {
    do throws(BootImageError) { return try BootImage(bytes, material: material) } catch { throw .line(error.line) }
  }

  /// What a panic is to end in, and the names of the kernel's own functions.
  private static func prepareForPanic(
    _ reader: borrowing BootImage, _ place: ImagePlace, _ fixed: FixedDescription?
  ) {
    panicState.resetPort.store(fixed?.resetRegister?.port ?? 0, ordering: .relaxed)
    panicState.resetValue.store(fixed?.resetValue ?? 0, ordering: .relaxed)
    panicState.mustReboot.store(reader.onPanic == .reboot, ordering: .relaxed)
    for index in 0..<reader.count(.files) where reader.file(index).name == ShortName(FileRecord.kernelSymbols) {
      let file = reader.file(index)
      panicState.keep(symbols: PhysicalExtent(start: place.address(of: file), size: file.size))
    }
  }

  /// From here on the kernel writes to the console's port as well, wherever the description says that is.
  private static func useConsolePort(_ reader: borrowing BootImage, _ area: BIOSDataArea?) {
    for index in 0..<reader.count(.ports) {
      let ports = reader.ports(index)
      let traits = DomainTraits(rawValue: reader.domain(Int(ports.domain)).traits)
      guard traits.contains(.showsLog), ports.count == 8 else { continue }
      if let hint = area?.hint(for: ports.first) { log(.information, hint) }
      guard ports.first != 0x3f8, ports.first != 0x2f8 else { continue }
      earlyPorts.keep(description: ports.first)
      EarlyConsole.prepare(ports.first)
    }
  }

  private static func information(
    _ clock: Clock, _ host: BootHost, _ cores: Int, _ memory: inout BootMemory
  ) throws(BootError) -> Cell<SystemInformation> {
    let wall = WallClock.read(centuryIndex: host.machine.fixed?.centuryIndex ?? 0)
    var information = SystemInformation()
    information.tscFrequency = clock.tscFrequency
    information.scale = TimeScale(frequency: clock.tscFrequency)
    information.wallClock = wall.seconds
    information.tscAtWallClock = wall.tsc
    information.supportedXCR0 = host.features.supportedXCR0
    information.vendor = host.support.vendor
    information.sharesControllers = host.support.sharesControllers ? 1 : 0
    information.postsInterrupts = host.support.postsInterrupts ? 1 : 0
    information.coreCount = UInt32(cores)
    let speculation = host.speculation.guests
    information.architecturalCapabilities = speculation.capabilities.rawValue
    information.passesPredictionCommand = speculation.forgetsBranches ? 1 : 0
    information.passesFlushCommand = speculation.flushesL1 ? 1 : 0
    information.speculationControl = speculation.control.rawValue
    return BootMemory.cell(information, at: try memory.page())
  }

  /// Has the first core hear of refused requests.
  private static func reportFaults(_ bus: MachineBus, _ cores: Table<Core>) {
    do throws(IOMMUError) {
      try bus.reportFaults(
        to: InterruptTarget(vector: UInt8(truncatingIfNeeded: Vectors.fault), apicID: cores[0].apicID))
    } catch {
      log(.error, error.line)
    }
  }

  /// Gives each core its threads.
  private static func placeThreads(_ kernel: Kernel) throws(BootError) {
    for index in 0..<kernel.threads.count {
      let core = kernel.threads[index].core
      kernel.threads[index].place = kernel.cores[core].threads.count
      try kernel.cores[core].threads.append(index)
    }
  }
}
