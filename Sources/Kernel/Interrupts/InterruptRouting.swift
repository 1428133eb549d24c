// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Firmware
import IOMMU

/// Device interrupts, from the pin that fires to the domain that hears of it.
struct InterruptRouting: ~Escapable {
  private let reader: BootImage
  private let machine: MachineDescription
  private let interrupts: InterruptControllers
  private let remapping: Table<Remapping>
  private let placement: CorePlacement

  @_lifetime(copy reader)
  init(
    _ reader: BootImage, _ machine: MachineDescription, _ interrupts: InterruptControllers,
    _ remapping: Table<Remapping>, _ placement: CorePlacement
  ) {
    self.placement = placement
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
      let line = try line(index, cores[placement[owner].core].apicID)
      try lines.append(line, orSay: "the description has more than 128 device interrupts")
      domains[owner].lines[Int(record.slot)] = index
      interrupts.unmask(line)
    }
    try interrupts.openSources(machine, remapping, to: cores[0].apicID)
    for index in 0..<devices.count {
      try lines.append(devices[index], orSay: "the description has more than 128 device interrupts")
      // Of a guest's device the line alone is acknowledged, which comes before its messages.
      let line = devices[index]
      let slot = Notifications(rawValue: line.notification).rawValue.trailingZeroBitCount - Notifications.channelCount
      if line.page == nil, line.isLevel { interrupts.unmask(line) }
      if line.page == nil || line.isLevel { domains[line.owner].lines[slot] = count + index }
    }
    let list = lines
    return try memory.table(list.count) { index in
      var line = list[index]
      line.budgetPlace += index
      return line
    }
  }

  private func line(_ index: Int, _ core: UInt32) throws(BootError) -> InterruptLine {
    let record = reader.interrupt(index)
    let route = machine.route(of: record)
    guard let (controller, pin) = interrupts.pin(ofGSI: route.gsi, machine.topology) else {
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
      do throws(IOMMUError) { return try target.redirection(isActiveLow: isActiveLow) } catch {
        throw .line(error.line)
      }
    }
    do throws(IOMMUError) {
      let interrupt = try self[0].makeInterrupt(from: .ioapic(controller), to: target)
      return try interrupt.redirection(target, isActiveLow: isActiveLow) & ~IOAPIC.masked
    } catch {
      throw .line(error.line)
    }
  }
}
