// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import CX86
import Firmware
import IOMMU
import PCI
import Processors

/// The machine's IOMMUs at work: they are on from early in boot, and what no domain of theirs has reaches nothing.
struct Remapping: ~Copyable {
  private var iommu: AnyIOMMU
  private var memory: RemappingMemory
  /// The refused requests that were reported lately, by whom.
  var reports = FaultReports()
  private var watch = FaultWatch()
  /// Whether it was said that there were too many at once.
  var wasEverMuted = false
  let lock = Spinlock()
  private let inPlace = InPlace()

  /// Switches on what the firmware names. → one, or none if there is none that works
  static func start(
    _ machine: MachineDescription, _ functions: Table<PCIFunction>, _ scale: TimeScale, _ memory: inout BootMemory
  ) throws(BootError) -> Table<Remapping> {
    guard let description = machine.remapping, let registers = memory.devices?.registers else {
      return try none(&memory)
    }
    var host = RemappingMemory(source: memory, scale: scale, registers: registers)
    let iommu: AnyIOMMU
    do throws(IOMMUError) {
      iommu = try make(description, functions, machine.apicMode, &host)
      try iommu.enable(host)
    } catch {
      // What was dealt out for it stays so.
      if let source = host.source { memory = source }
      log(.error, error.line)
      return try none(&memory)
    }
    if let source = host.source { memory = source }
    host.source = nil
    return try one(iommu, host, &memory)
  }

  private static func none(_ memory: inout BootMemory) throws(BootError) -> Table<Remapping> {
    try memory.table(0) { _ throws(BootError) in throw .refused("") }
  }

  private static func one(
    _ iommu: AnyIOMMU, _ host: RemappingMemory, _ memory: inout BootMemory
  ) throws(BootError) -> Table<Remapping> {
    try memory.table(1) { _ in Remapping(iommu: iommu, memory: host) }
  }

  private init(iommu: AnyIOMMU, memory: RemappingMemory) {
    self.iommu = iommu
    self.memory = memory
  }

  private static func make(
    _ description: RemappingDescription, _ functions: Table<PCIFunction>, _ mode: APICMode,
    _ host: inout RemappingMemory
  ) throws(IOMMUError) -> AnyIOMMU {
    switch description {
    case .intel(let intel):
      .intel(
        try IntelIOMMU(intel, usesX2APIC: mode == .registers, &host) { bridge in functions.span.buses(behind: bridge) })
    case .amd(let amd): .amd(try AMDIOMMU(amd, &host))
    }
  }

  // MARK: - At boot

  /// Does something that needs pages.
  private mutating func atBoot<R>(
    _ boot: inout BootMemory, _ body: (inout AnyIOMMU, inout RemappingMemory) throws(IOMMUError) -> R
  ) throws(IOMMUError) -> R {
    memory.source = boot
    defer {
      if let source = memory.source { boot = source }
      memory.source = nil
    }
    return try body(&iommu, &memory)
  }

  mutating func makeDomain(_ boot: inout BootMemory) throws(IOMMUError) -> DMADomain {
    try atBoot(&boot) { iommu, memory throws(IOMMUError) in try iommu.makeDomain(&memory) }
  }

  mutating func map(
    _ domain: DMADomain, at address: UInt64, to extent: PhysicalExtent, _ boot: inout BootMemory
  ) throws(IOMMUError) {
    try atBoot(&boot) { iommu, memory throws(IOMMUError) in
      try iommu.map(domain, at: address, to: extent.start, size: extent.size, .readWrite, &memory)
    }
  }

  mutating func attach(
    _ device: FunctionAddress, to domain: DMADomain, _ boot: inout BootMemory
  ) throws(IOMMUError) {
    try atBoot(&boot) { iommu, memory throws(IOMMUError) in try iommu.attach(device, to: domain, &memory) }
  }

  /// Whether requests of the device go through an IOMMU.
  func covers(_ device: FunctionAddress) -> Bool { iommu.covers(device) }

  /// Memory that firmware's own use of the device needs, piece `index` of it: such a device is not for a guest.
  func reservedMemory(of device: FunctionAddress, _ index: Int) -> PhysicalRange? {
    iommu.reservedMemory(of: device, index)
  }

  func makeInterrupt(
    from source: InterruptSource, to target: InterruptTarget
  ) throws(IOMMUError) -> RemappedInterrupt {
    try iommu.makeInterrupt(from: source, to: target, memory)
  }

  /// Has `target` interrupted for each refused request, by messages of the IOMMUs themselves.
  func enableFaultInterrupts(_ target: InterruptTarget) throws(IOMMUError) {
    try iommu.enableFaultInterrupts(target, memory)
  }

  /// The PCI function that IOMMU `unit` is, if that sends its messages.
  func faultSource(_ unit: Int) -> FunctionAddress? { iommu.faultSource(unit) }

  // MARK: - While the machine runs

  /// Whether devices can send only the interrupts that they were allowed.
  var remapsInterrupts: Bool { iommu.remapsInterrupts }

  /// Takes what was refused, as much as there is time for.
  mutating func takeFaults(_ body: (DMAFault) -> Void) { watch.take(from: iommu, memory, body) }

  /// Whether refused requests are not signalled for a while, since there were too many.
  var isMuted: Bool { watch.isMuted }

  /// Lets a device's interrupts arrive, or none of them, without a record.
  mutating func admitInterrupts(of device: FunctionAddress, _ isAdmitted: Bool) {
    try? iommu.admitInterrupts(of: device, isAdmitted, memory)
  }

  /// Keeps refused requests of a device from being recorded, or no longer.
  mutating func setSilent(_ device: FunctionAddress, _ isSilent: Bool) {
    try? iommu.recordFaults(of: device, !isSilent, &memory)
  }
}
