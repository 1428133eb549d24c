// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import BootReport
import Bus
import Firmware
import IOMMU
import PCI
import X86

/// Devices for guests.
extension DeviceAssignment {
  mutating func passThrough(
    _ index: Int, _ builder: borrowing DomainBuilder, _ memory: inout BootMemory
  ) throws(BootError) {
    let record = reader.device(index)
    let owner = Int(record.domain)
    let page = try memory.page()
    try domains[owner].space.map(
      AddressMap.passedDevices + UInt64(record.slot) * 4096, to: page, size: 4096, .user | .writable | .noExecute,
      from: &memory)
    // SAFETY: the page was dealt out for this, zero, and stays.
    let shared = unsafe PassedDevice(unsafeBase: DirectMap.pointer(page))
    let firstLine = reader.count(.interrupts) + lines.count
    var routes = FixedList<16, UInt64>()
    var place: FunctionPlace?
    let function = findPassed(index, builder.directMapped)
    if let function {
      do throws(IOMMUError) { place = try prepare(function, owner, builder, &memory) } catch {
        log(.error, "\(domains[owner].name): \(error.line)")
      }
      if place != nil {
        try given.append(
          GivenDevice(function: function, owner: owner, wall: bus.wall(around: function)),
          orSay: "the description has too many devices")
      }
    }
    if place != nil {
      for controller in 0..<machine.topology.ioapicCount {
        let entry = try remapping.redirection(
          from: machine.topology.ioapic(controller).id, to: target(owner, isLevel: true), isActiveLow: true)
        try routes.append(entry, orSay: "the machine has more than 16 interrupt controllers")
      }
    }
    try addLines(of: record, place, function, shared)
    if let place { shared.describe(information(of: place)) }
    try passed.append(
      PassedPlan(
        owner: owner, number: Int(record.slot), place: place, page: shared, firstLine: firstLine, routes: routes),
      orSay: "the description has more than 16 devices")
  }

  /// Sets aside what it takes to show the guests their devices' registers: no table is made later.
  func makeRoom(
    _ threads: Table<Thread>, _ virtualCPUs: Table<VirtualCPU>, _ memory: inout BootMemory
  ) throws(BootError) {
    for index in 0..<passed.count {
      guard let place = passed[index].place, let number = threads[passed[index].owner].virtualCPU else { continue }
      for range in 0..<6 where place.function.ranges[range].isMemory {
        try virtualCPUs[number].makeRoom(forRegisters: place.function.ranges[range].pages.size, from: &memory)
      }
    }
  }

  /// The table of them all.
  func makePassed(_ memory: inout BootMemory) throws(BootError) -> Table<PassedFunction> {
    let plans = passed
    return try memory.table(plans.count) { PassedFunction(plans[$0]) }
  }

  // MARK: - May it be given away?

  /// The function that record `index` means; `nil` if it is not to be had, which is then reported.
  private func findPassed(_ index: Int, _ directMapped: DirectMappedGuests) -> Int? {
    let record = reader.device(index)
    let address = FunctionAddress(record.address)
    let name = domains[Int(record.domain)].name
    guard let function = functions.span.index(of: address) else {
      log(.error, "\(name): there is no PCI device at \(address)")
      return nil
    }
    let found = functions[function]
    guard !found.isBridge, !found.isPartOfTheMachine else {
      let what: StaticString = found.identity.classCode >> 16 == 0x06 ? "a bridge" : "a part of the machine"
      log(.error, "\(name): \(address) is \(what), which cannot be given to a VM")
      return nil
    }
    guard isGuarded(function, record, name, directMapped) else { return nil }
    let owner = record.domain
    guard hasOwnRanges(function, name, isSameOwner: { self.owner(ofFunction: $0) == owner }) else { return nil }
    for range in 0..<6 where found.ranges[range].isMemory && !found.ranges[range].address.isAligned(to: 4096) {
      log(.error, "\(name): base address \(range) of \(address) does not begin a page")
      return nil
    }
    if let table = found.messageTablePlace, table.end > DeviceMap.end {
      log(.error, "\(name): the table of messages of \(address) lies beyond all addresses of this processor")
      return nil
    }
    return function
  }

  /// Whether an IOMMU can keep the function to its VM's memory and to its own interrupts; or there is none, the description
  /// does without, and the function finds that memory.
  private func isGuarded(
    _ function: Int, _ record: DeviceRecord, _ name: ShortName, _ directMapped: DirectMappedGuests
  ) -> Bool {
    guard mayReachMemory(function, record, name) else { return false }
    guard bus.isCovered(function) else {
      // Else it was said why not.
      return directMapped.base(ofGuest: reader.guest(ofDomain: Int(record.domain))) != 0
    }
    let address = functions[function].address
    if let range = remapping[0].reservedMemory(of: address, 0) {
      log(.error, "\(name): the firmware itself uses \(address), with memory at \(hex: range.start.value):")
      log(.error, "  it cannot be given to a VM (an RMRR of the DMAR, or an IVMD of the IVRS)")
      return false
    }
    return mayInterrupt(function, record, name) && ownsGroup(function, record, name)
  }

  /// Whether an IOMMU checks the interrupts that the function sends, or the description does without; else that is
  /// reported. A message is but a write to 0xFEExxxxx, and a guest tells its device what to write where: where none is
  /// checked, it raises any vector of any core (VT-d 4.1, §5.1).
  private func mayInterrupt(_ function: Int, _ record: DeviceRecord, _ name: ShortName) -> Bool {
    let address = functions[function].address
    if remapping[0].remapsInterrupts { return true }
    guard record.isUnprotected == 0 else {
      log(.warning, "\(name): unprotected DMA: no IOMMU keeps \(address) from sending any interrupt, to any core")
      return true
    }
    log(.error, "\(name): \(address) cannot be kept to its interrupts: the IOMMU does not remap them,")
    log(.error, "  and the description does not allow that")
    return false
  }

  /// Whether all functions that the IOMMU cannot tell apart from this one are the owner's or nobody's; else they are
  /// listed. Those that are nobody's are switched off: then nothing can be done to them, and they do nothing.
  private func ownsGroup(_ function: Int, _ record: DeviceRecord, _ name: ShortName) -> Bool {
    let address = functions[function].address
    var isWhole = true
    functions.span.eachCompanion(of: function) { other in
      let owner = owner(ofFunction: other)
      guard owner != record.domain, owner != nil || isInUse(other) else { return }
      if isWhole {
        log(.error, "\(name): the IOMMU cannot tell \(address) apart from these; give the VM all of them:")
      }
      isWhole = false
      if let owner {
        log(.error, "\(name):   \(functions[other].line), which \(domains[Int(owner)].name) has")
      } else {
        log(.error, "\(name):   \(functions[other].line), whose ports are in use")
      }
    }
    guard isWhole else { return false }
    functions.span.eachCompanion(of: function) { other in
      guard owner(ofFunction: other) == nil else { return }
      functions[other].park(in: access)
      log(.information, "\(name): \(functions[other].address) cannot be told from \(address), and is switched off")
    }
    return true
  }

  /// Whether a function that no record gives away has ports that somebody has all the same, as a serial card of the
  /// console's.
  private func isInUse(_ function: Int) -> Bool {
    for range in 0..<6 where functions[function].ranges[range].kind == .io {
      let base = functions[function].ranges[range]
      for index in 0..<reader.count(.ports) {
        let ports = reader.ports(index)
        let first = UInt64(ports.first)
        if first < base.address + base.size, base.address < first + UInt64(ports.count) { return true }
      }
    }
    return false
  }

  // MARK: - Giving it away

  private mutating func prepare(
    _ function: Int, _ owner: Int, _ builder: borrowing DomainBuilder, _ memory: inout BootMemory
  ) throws(IOMMUError) -> FunctionPlace {
    try attach(function, to: owner, builder, &memory)
    let found = functions[function].handedOver
    // So that its table of messages can be written; where it answers no guest can change.
    found.change(
      inserting: found.usesPorts ? .memorySpace | .ioSpace : .memorySpace,
      removing: found.usesPorts ? .none : .ioSpace, in: access)
    if let table = found.messageTablePlace {
      do throws(BootError) { try memory.showRegisters(table) } catch { throw .outOfMemory }
    }
    var place = FunctionPlace(
      function: found, saved: SavedConfiguration(of: found, in: access),
      resetMethod: functions.span.resetMethod(of: function))
    let count = found.capabilities.messageTable?.count ?? (found.capabilities.messages == nil ? 0 : 1)
    for message in 0..<min(count, PassedDevice.messageCapacity) {
      let interrupt = try self.message(of: function, to: target(owner, offset: 1 + message))
      try? place.messages.append(interrupt, orSay: "")
    }
    if place.resetMethod == nil {
      log(.warning, "\(domains[owner].name): \(found.address) cannot be reset: a VM that restarts finds it as it was")
    }
    return place
  }

  private mutating func addLines(
    of record: DeviceRecord, _ place: FunctionPlace?, _ function: Int?, _ page: PassedDevice
  ) throws(BootError) {
    let owner = Int(record.domain)
    var line = InterruptLine(
      controller: 0, pin: 0, entry: 0, isLevel: true, owner: owner,
      notification: Notifications.interrupt(Int(record.slot)).rawValue, page: page, bit: PassedDevice.line)
    line.isFound = false
    line.function = place == nil ? nil : function
    if let found = pin(of: record, domains[owner].name, isShareable: true) {
      line.controller = found.controller
      line.pin = found.pin
      line.isFound = true
    }
    try lines.append(line, orSay: "the description has too many devices")
    for message in 0..<(place?.messages.count ?? 0) {
      var sent = InterruptLine(
        controller: 0, pin: 0, entry: 0, isLevel: false, owner: owner, notification: line.notification, page: page,
        bit: 1 << UInt64(message))
      sent.sends(from: line.function, number: message)
      try lines.append(sent, orSay: "the description has too many devices")
    }
  }

  private func information(of place: FunctionPlace) -> PassedDeviceInformation {
    var information = PassedDeviceInformation()
    information.isPresent = 1
    information.address = PCIAddress(place.function.address)
    information.tableCount = place.function.capabilities.messageTable == nil ? 0 : UInt32(place.messages.count)
    information.canReset = place.resetMethod == nil ? 0 : 1
    for index in 0..<6 {
      let range = place.function.ranges[index]
      let kind: PassedRangeKind =
        switch range.kind {
        case .none, .upperHalf, .malformed: .none
        case .io: .io
        case .memory: .memory
        case .memory64: .memory64
        }
      information.ranges[index].kind = kind.rawValue
      information.ranges[index].size = range.isMemory ? range.pages.size : range.size
    }
    return information
  }
}
