// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import BootReport
import Bus
import CX86
import Firmware
import PCI
import Processors
import Speculation
import X86

/// What the kernel says when all is dealt out and before anything runs: the machine, who has what of it, how long it
/// took. The lines' forms are in `BootReport`.
struct SystemReport: ~Escapable {
  private let reader: BootImage
  private let host: BootHost
  private let cores: CoreTable
  private let builder: (placement: CorePlacement, regions: Table<PhysicalExtent>)
  private let bus: MachineBus
  private let given: FixedList<16, GivenDevice>
  private let clock: Clock
  private let kernel: Kernel

  @_lifetime(copy reader)
  init(
    _ reader: BootImage, _ host: BootHost, _ cores: CoreTable, _ placement: CorePlacement,
    _ regions: Table<PhysicalExtent>, _ bus: MachineBus, _ given: FixedList<16, GivenDevice>,
    _ clock: Clock, _ kernel: Kernel
  ) {
    self.reader = reader
    self.host = host
    self.cores = cores
    builder = (placement, regions)
    self.bus = bus
    self.given = given
    self.clock = clock
    self.kernel = kernel
  }

  /// Writes it to the log.
  /// - Parameter free: Bytes of memory that nobody has.
  func show(_ phases: BootPhases, free: UInt64) {
    reportPlacement()
    say("boot report of \(reader.name)")
    showMachine()
    showMemory(free)
    showMachines()
    showServers()
    showDevices()
    phases.say(kernel.information.value.scale) { say($0) }
    warn()
    let count = kernelLog.warnings
    say(LogLine(report: "warnings", count == 0 ? "none" : "\(count), in the lines above"))
  }

  private func say(_ line: LogLine) { log(.information, line) }

  // MARK: - The machine

  private func showMachine() {
    let vendor: StaticString = if case .svm = host.support { "AMD SVM" } else { "Intel VMX" }
    let idle: StaticString = cores.sparesBootCore ? "; the one that booted is left idle" : ""
    let topology = host.machine.topology
    let physical = host.machine.threads.coreCount(topology.processorCount) { topology.apicID($0) }
    let threads: LogLine = physical < topology.processorCount ? ", threads of \(physical) physical cores" : ""
    let processors: LogLine = "\(cores.running.count) of \(topology.processorCount) processors\(threads)"
    say(LogLine(report: "cores", "\(processors), \(vendor)\(idle)"))
    let megahertz = clock.tscFrequency / 1_000_000
    let timer: StaticString = host.features.hasTSCDeadline ? "timers take deadlines" : "timers count"
    say(LogLine(report: "clock", "\(megahertz) MHz, measured against \(clock.source); \(timer)"))
    var inputs: UInt32 = 0
    let controllers = kernel.interrupts.external
    for index in 0..<controllers.count { inputs += controllers[index].pinCount }
    let remapped: StaticString = remapsInterrupts ? "remapped" : "not remapped"
    let form: StaticString = host.machine.apicMode == .registers ? "x2APIC; " : ""
    say(LogLine(report: "interrupts", "\(form)I/O APICs: \(controllers.count), with \(inputs) inputs; \(remapped)"))
    say(LogLine(report: "IOMMU", remappingLine))
    SpeculationRows.say(host.speculation.plan, isTranslated: host.features.isTranslated) { say($0) }
  }

  private var remapsInterrupts: Bool { kernel.remapping.count > 0 && kernel.remapping[0].remapsInterrupts }

  private var remappingLine: LogLine {
    guard kernel.remapping.count > 0 else {
      return "none: nothing keeps a device to its owner's memory"
    }
    let name: StaticString = if case .intel = host.machine.remapping { "VT-d" } else { "AMD-Vi" }
    return "\(name): devices reach only the memory of their owners"
  }

  // MARK: - Memory and cores

  private func showMemory(_ free: UInt64) {
    var guests: UInt64 = 0
    for index in 0..<reader.count(.domains) { guests += memory(of: index).size }
    let own = kernel.information.value.memoryOutsideGuests
    let sum = (guests + own + free) / .MiB
    say(
      LogLine(
        report: "memory",
        "\(sum) MiB: VMs \(guests / .MiB) MiB, Roost \(own.roundedUp(to: .MiB).map { $0 / .MiB } ?? 0) MiB, free \(free / .MiB) MiB"
      ))
  }

  /// The memory of a domain's guest, and where it begins.
  private func memory(of domain: Int) -> (start: PhysicalAddress, size: UInt64) {
    var start: PhysicalAddress?
    var size: UInt64 = 0
    for index in 0..<reader.count(.guestMappings) {
      let record = reader.guestMapping(index)
      guard record.domain == UInt32(domain), record.isOverlay == 0 else { continue }
      let extent = builder.regions[Int(record.region)]
      if start == nil { start = extent.start }
      size += extent.size
    }
    return (start ?? PhysicalAddress(0), size)
  }

  private func showMachines() {
    say(MachineRow.header)
    for index in 0..<reader.count(.domains) where isMachine(index) {
      let domain = reader.domain(index)
      let memory = memory(of: index)
      say(
        MachineRow(
          domain.name, builder.placement[index], described: Int(domain.core), memory: memory.size, start: memory.start
        ).line)
    }
  }

  private func isMachine(_ index: Int) -> Bool {
    DomainTraits(rawValue: reader.domain(index).traits).contains(.hasVirtualCPU)
  }

  private func showServers() {
    var list = ReportList("servers")
    for index in 0..<reader.count(.domains) where !isMachine(index) {
      let name = reader.domain(index).name
      if let line = list.add("\(name) on core \(builder.placement[index].core)") { say(line) }
    }
    if let line = list.end() { say(line) }
  }

  // MARK: - Devices

  private func showDevices() {
    say(DeviceRow.header)
    for index in 0..<reader.count(.ports) {
      let record = reader.ports(index)
      say(DeviceRow(ports: record.first, count: record.count, reader.domain(Int(record.domain)).name).line)
    }
    for index in 0..<given.count {
      let function = bus.functions[given[index].function]
      let owner = reader.domain(given[index].owner).name
      say(DeviceRow(function.address, owner, function.identity, given[index].wall).line)
    }
    guard bus.functions.count > 0 else {
      return say(LogLine(report: "others", "nobody has a PCI device, and none was looked for"))
    }
    var others = 0
    for index in 0..<bus.functions.count where bus.functions[index].canBeSilent && !isGiven(index) { others += 1 }
    say(LogLine(report: "others", "\(others) PCI functions are nobody's: no memory, no interrupts for them"))
  }

  private func isGiven(_ function: Int) -> Bool {
    for index in 0..<given.count where given[index].function == function { return true }
    return false
  }

  // MARK: - What a person should know

  /// Says which domains are not where the description wants them.
  private func reportPlacement() {
    for index in 0..<reader.count(.domains) {
      let domain = reader.domain(index)
      let place = builder.placement[index]
      switch place.fate {
      case .asDescribed: break
      case .moved: log(.warning, "\(domain.name): core \(domain.core) does not run; it is on core \(place.core)")
      case .refused: log(.error, "\(domain.name): core \(domain.core) does not run; it stays off")
      case .exposed: log(.error, "\(domain.name): core \(domain.core) is a thread of another's core; it stays off")
      }
    }
  }

  private func warn() {
    let machine = host.machine
    let spares = cores.sparesBootCore
    CoreNeighbours(reader, builder.placement, cores.cores, machine.threads)
      .report(machine.topology.processorCount - (spares ? 1 : 0)) { machine.apicID(ofCore: $0, sparingThis: spares) }
    if kernel.remapping.count > 0, !remapsInterrupts {
      log(.warning, "the IOMMU does not remap interrupts: VMs have no devices but by unprotected-dma")
    }
    if !host.features.isTranslated, !Self.hasSteadyCounter {
      log(.warning, "the time-stamp counter may change its rate: switch power saving off in the firmware's set-up")
    }
  }

  /// Whether the time-stamp counter goes on at the same rate in all states (AMD APM volume 3, §E.4.6; Intel SDM volume 2,
  /// CPUID).
  private static var hasSteadyCounter: Bool {
    cx86_cpuid(0x8000_0000, 0).eax >= 0x8000_0007 && cx86_cpuid(0x8000_0007, 0).edx.bits(8, count: 1) == 1
  }
}
