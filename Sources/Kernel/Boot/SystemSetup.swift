// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Firmware
import IOMMU
import Synchronization
import X86

/// The boot image turned into domains, threads and vCPUs, with all the memory they will ever have.
struct SystemSetup {
  let kernel: Kernel
  let launches: Table<CoreLaunch>
  private let sparesBootCore: Bool

  init(
    _ image: PhysicalRange, _ material: PhysicalRange?, _ machine: MachineDescription,
    _ features: ProcessorFeatures, _ support: GuestSupport, _ space: AddressSpace,
    _ physical: borrowing MachineMemory, _ memory: inout BootMemory
  ) throws(BootError) {
    let reader = try Self.read(Self.bytes(of: image, physical), Self.bytes(of: material, physical))
    let place = ImagePlace(image, material: material, reader)
    Self.findSymbols(reader, place)
    let cores = try CoreTable.make(machine, reader, features, space, &memory)
    sparesBootCore = cores.sparesBootCore
    memory.limit = nil

    let local = LocalAPIC(base: machine.topology.localAPIC)
    local.enable(usesDeadline: features.hasTSCDeadline)
    let clock = Clock(ReferenceClock(machine.hpet), apic: local, features: features)
    let interrupts = try InterruptControllers(machine, local, &memory)
    let information = try Self.information(clock, machine, features, support, cores.cores.count, &memory)
    let bus = try MachineBus(
      machine, hasDevices: reader.count(.devices) > 0, information.value.scale, &memory)
    let builder = try DomainBuilder(reader, place, space, information, &memory)
    let domains = try BootMemory.table(reader.count(.domains), in: &memory) { index, memory throws(BootError) in
      try builder.domain(index, &memory)
    }
    let virtualCPUs = try builder.virtualCPUs(support, features, domains, cores.memory, &memory)
    let threads = try builder.threads(domains, &memory)
    var devices = DeviceAssignment(reader, machine, bus, cores.cores, domains)
    try devices.assign(builder, &memory)
    let lines = try InterruptRouting(reader, machine, interrupts, bus.remapping)
      .lines(cores.cores, domains, devices.lines, &memory)
    kernel = Kernel(
      domains: domains, threads: threads, virtualCPUs: virtualCPUs, cores: cores.cores, lines: lines,
      interrupts: interrupts, features: features, support: support, information: information, space: space,
      access: bus.access, passed: try devices.makePassed(&memory), owners: try devices.makeOwners(&memory),
      remapping: bus.remapping)
    Self.reportFaults(bus.remapping, cores.cores)
    try Self.placeThreads(kernel)
    let shared = kernel
    launches = try memory.table(cores.cores.count) { index in
      CoreLaunch(kernel: shared, memory: cores.memory[index], gates: cores.gates, clock: clock, index: index)
    }
    let (text, _, _, end) = KernelSpace.layout
    information.value.memoryOutsideGuests = memory.used + place.size + (end - text)
    log(.information, "\(information.value.memoryOutsideGuests / .KiB) KiB are used outside guests")
  }

  /// Starts the other cores, and then goes on as the first, or not at all.
  func startCores(lowPage: PhysicalAddress, _ options: KernelOptions) throws(BootError) {
    for index in 1..<max(kernel.cores.count, 1) { start(index, lowPage) }
    kernel.information.value.coreCount = UInt32(kernel.cores.count)
    log(.information, "domains: \(kernel.domains.count), cores: \(kernel.cores.count)")
    panicState.isTest.store(options.isPanicTest, ordering: .relaxed)
    guard sparesBootCore else { return kernelCoreStart(launches.cell(0).address) }
    start(0, lowPage)
    cx86_halt_forever()
  }

  private func start(_ index: Int, _ lowPage: PhysicalAddress) {
    guard CoreStart.start(launches.cell(index), page: lowPage) == .silent else { return }
    log(.error, "core \(index) (APIC \(kernel.cores[index].apicID)) does not start; its VMs stay off")
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

  /// The names of the kernel's own functions, for a panic.
  private static func findSymbols(_ reader: borrowing BootImage, _ place: ImagePlace) {
    for index in 0..<reader.count(.files) where reader.file(index).name == ShortName(FileRecord.kernelSymbols) {
      let file = reader.file(index)
      panicState.keep(symbols: PhysicalExtent(start: place.address(of: file), size: file.size))
    }
  }

  private static func information(
    _ clock: Clock, _ machine: MachineDescription, _ features: ProcessorFeatures, _ support: GuestSupport,
    _ cores: Int, _ memory: inout BootMemory
  ) throws(BootError) -> Cell<SystemInformation> {
    let wall = WallClock.read(centuryIndex: machine.fixed?.centuryIndex ?? 0)
    var information = SystemInformation()
    information.tscFrequency = clock.tscFrequency
    information.scale = TimeScale(frequency: clock.tscFrequency)
    information.wallClock = wall.seconds
    information.tscAtWallClock = wall.tsc
    information.supportedXCR0 = features.supportedXCR0
    information.vendor = support.vendor
    log(.information, "cores: \(cores), time-stamp counter at \(clock.tscFrequency / 1_000_000) MHz")
    return BootMemory.cell(information, at: try memory.page())
  }

  /// Has the first core hear of refused requests.
  private static func reportFaults(_ remapping: Table<Remapping>, _ cores: Table<Core>) {
    guard remapping.count > 0 else { return }
    do throws(IOMMUError) {
      try remapping[0].reportFaults(
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

/// The cores that the description uses.
struct CoreTable {
  let cores: Table<Core>
  let memory: Table<CoreMemory>
  /// The interrupt descriptor table of them all.
  let gates: PhysicalAddress
  /// Whether the core that boots is none of them: all others of QEMU's TCG change its state while it enters and leaves
  /// guests (decision 14), so where there is one to spare, it is this.
  let sparesBootCore: Bool

  /// As many cores as the highest that a domain names, if the machine has them.
  static func make(
    _ machine: MachineDescription, _ reader: borrowing BootImage, _ features: ProcessorFeatures, _ space: AddressSpace,
    _ memory: inout BootMemory
  ) throws(BootError) -> CoreTable {
    var count = 1
    for index in 0..<reader.count(.domains) {
      let domain = reader.domain(index)
      guard Int(domain.core) < machine.topology.processorCount else {
        throw .line(
          "cannot start: \(domain.name) wants core \(domain.core), but there are \(machine.topology.processorCount)")
      }
      count = max(count, Int(domain.core) + 1)
    }
    let gates = try memory.page()
    CoreSetup.fillGates(gates)
    let places = try BootMemory.table(count, in: &memory) { index, memory throws(BootError) in
      try CoreMemory(index, &memory, space: space)
    }
    let spares = features.isTranslated && count < machine.topology.processorCount
    let cores = try BootMemory.table(count, in: &memory) { index, memory throws(BootError) in
      Core(
        index: index, apicID: machine.apicID(ofCore: index, sparingThis: spares), threads: try ThreadList(&memory),
        taskState: places[index].taskState, block: places[index].block, hostState: places[index].hostState)
    }
    return CoreTable(cores: cores, memory: places, gates: gates, sparesBootCore: spares)
  }
}

/// Device interrupts, from the pin that fires to the domain that hears of it.
struct InterruptRouting: ~Escapable {
  private let reader: BootImage
  private let machine: MachineDescription
  private let interrupts: InterruptControllers
  private let remapping: Table<Remapping>

  @_lifetime(copy reader)
  init(
    _ reader: BootImage, _ machine: MachineDescription, _ interrupts: InterruptControllers,
    _ remapping: Table<Remapping>
  ) {
    self.reader = reader
    self.machine = machine
    self.interrupts = interrupts
    self.remapping = remapping
  }

  /// The lines of the boot image, and then those of `devices`.
  func lines(
    _ cores: Table<Core>, _ domains: Table<Domain>, _ devices: FixedList<128, InterruptLine>,
    _ memory: inout BootMemory
  ) throws(BootError) -> Table<InterruptLine> {
    let count = reader.count(.interrupts)
    guard count + devices.count <= Vectors.lineCount else {
      throw .refused("the description has more than 128 device interrupts")
    }
    var lines = FixedList<128, InterruptLine>()
    for index in 0..<count {
      let record = reader.interrupt(index)
      let owner = Int(record.domain)
      let line = try line(index, cores[Int(reader.domain(owner).core)].apicID)
      try lines.append(line, orSay: "the description has more than 128 device interrupts")
      domains[owner].lines[Int(record.slot)] = index
      interrupts.unmask(line)
    }
    for index in 0..<devices.count {
      try lines.append(devices[index], orSay: "the description has more than 128 device interrupts")
      // Of a guest's device the line alone is acknowledged, which comes before its messages.
      let line = devices[index]
      let slot = Notifications(rawValue: line.notification).rawValue.trailingZeroBitCount - Notifications.channelCount
      if line.page == nil || line.isLevel { domains[line.owner].lines[slot] = count + index }
    }
    let list = lines
    return try memory.table(list.count) { list[$0] }
  }

  private func line(_ index: Int, _ core: UInt32) throws(BootError) -> InterruptLine {
    let record = reader.interrupt(index)
    let route = machine.route(of: record)
    guard let controller = machine.topology.ioapic(for: route.gsi) else {
      throw .line("cannot start: no interrupt controller has GSI \(route.gsi)")
    }
    let pin = route.gsi - interrupts.external[controller].firstGSI
    guard pin < interrupts.external[controller].pinCount else {
      throw .line("cannot start: no interrupt controller has GSI \(route.gsi)")
    }
    let target = InterruptTarget(
      vector: UInt8(truncatingIfNeeded: Vectors.firstLine + UInt64(index)), apicID: core,
      isLevelTriggered: route.isLevelTriggered)
    return InterruptLine(
      controller: controller, pin: pin,
      entry: try remapping.redirection(
        from: machine.topology.ioapic(controller).id, to: target, isActiveLow: route.isActiveLow),
      isLevel: route.isLevelTriggered, owner: Int(record.domain),
      notification: Notifications.interrupt(Int(record.slot)).rawValue)
  }
}

extension Table where Element == Remapping {
  /// The redirection entry that brings an interrupt of an I/O APIC to `target`, open; as of old where there is no IOMMU.
  func redirection(
    from controller: UInt8, to target: InterruptTarget, isActiveLow: Bool
  ) throws(BootError) -> UInt64 {
    guard count > 0 else {
      return UInt64(target.apicID) << 56 | UInt64(target.vector) | (isActiveLow ? IOAPIC.isLow : 0)
        | (target.isLevelTriggered ? IOAPIC.isLevel : 0)
    }
    do throws(IOMMUError) {
      let interrupt = try self[0].makeInterrupt(from: .ioapic(controller), to: target)
      return interrupt.redirection(target, isActiveLow: isActiveLow) & ~IOAPIC.masked
    } catch {
      throw .line(error.line)
    }
  }
}
