// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import BootReport
import Bus
import Firmware
import IOMMU
import PCI

/// Finds the PCI devices that the boot image gives to domains, and hands them over: to a server its registers, one
/// interrupt, and the right to reach memory; to a VMM what `Kernel+Devices.swift` lets it do.
///
/// A device that is not there, or cannot be handed over, is reported; its domain starts all the same and says so to
/// those that wait for it.
struct DeviceAssignment: ~Escapable {
  let reader: BootImage
  let bus: MachineBus
  let machine: MachineDescription
  let interrupts: InterruptControllers
  let cores: Table<Core>
  let domains: Table<Domain>
  let placement: CorePlacement
  /// Where no device may be that is given away.
  private let taken: TakenRanges
  /// The first vector that is free.
  let firstVector: UInt64
  var lines = FixedList<128, InterruptLine>()
  var passed = FixedList<16, PassedPlan>()
  var owners = FixedList<64, DeviceOwner>()
  /// What was handed over, for the boot report.
  var given = FixedList<16, GivenDevice>()
  /// The domains of the IOMMU, by those of the kernel.
  var memories: InlineArray<32, DMADomain?> = InlineArray(repeating: nil)

  @_lifetime(copy reader)
  init(
    _ reader: BootImage, _ machine: MachineDescription, _ bus: MachineBus, _ interrupts: InterruptControllers,
    _ cores: Table<Core>, _ domains: Table<Domain>, _ placement: CorePlacement, claimed map: MemoryMap
  ) {
    var taken = machine.taken(map)
    for index in 0..<reader.count(.ports) {
      let record = reader.ports(index)
      taken.take(ports: UInt64(record.first)..<UInt64(record.first) + UInt64(record.count))
    }
    self.taken = taken
    self.reader = reader
    self.machine = machine
    self.bus = bus
    self.interrupts = interrupts
    self.cores = cores
    self.domains = domains
    self.placement = placement
    firstVector = Vectors.firstLine + UInt64(reader.count(.interrupts))
  }

  var access: BusAccess { bus.access }
  var functions: Table<PCIFunction> { bus.functions }
  var remapping: Table<Remapping> { bus.remapping }

  /// Hands over the devices of all domains.
  mutating func assign(
    _ builder: borrowing DomainBuilder, _ threads: Table<Thread>, _ virtualCPUs: Table<VirtualCPU>,
    _ memory: inout BootMemory
  ) throws(BootError) {
    for index in 0..<reader.count(.devices) {
      if reader.device(index).kind == PCIDeviceKind.passthrough.rawValue {
        try passThrough(index, builder, &memory)
      } else {
        try giveToServer(index, builder, &memory)
      }
    }
    try makeRoom(threads, virtualCPUs, &memory)
  }

  /// Where the next line's interrupts go.
  func target(_ owner: Int, offset: Int = 0, isLevel: Bool = false) -> InterruptTarget {
    InterruptTarget(
      vector: UInt8(truncatingIfNeeded: firstVector + UInt64(lines.count + offset)),
      apicID: cores[placement[owner].core].apicID, isLevelTriggered: isLevel)
  }

  private mutating func giveToServer(
    _ index: Int, _ builder: borrowing DomainBuilder, _ memory: inout BootMemory
  ) throws(BootError) {
    let record = reader.device(index)
    let owner = Int(record.domain)
    var information = builder.information(of: record)
    var line: InterruptLine?
    var sent = InterruptLine(
      controller: 0, pin: 0, entry: 0, isLevel: false, owner: owner,
      notification: Notifications.interrupt(Int(record.slot)).rawValue)
    if let function = find(index), let range = registers(of: function, name: domains[owner].name),
      let message = protect(function, for: record, builder, &memory)
    {
      information.isPresent = 1
      try given.append(
        GivenDevice(function: function, owner: owner, wall: bus.wall(around: function)),
        orSay: "the description has too many devices")
      information.address = PCIAddress(functions[function].address)
      information.vendor = functions[function].identity.vendor
      information.device = functions[function].identity.device
      information.registersSize = range.size
      try builder.map(range, into: owner, domains, &memory)
      line = try serverLine(of: record, domains[owner].name)
      sent.sends(from: function, number: 0)
      information.interruptDelivery = start(function, line == nil ? message : nil, domains[owner].name).rawValue
    }
    try lines.append(line ?? sent, orSay: "the description has too many devices")
    try builder.map(information, into: owner, domains, &memory)
  }

  /// Lets the device reach its owner's memory alone. → the message that it may send; `nil` if it is refused
  private mutating func protect(
    _ function: Int, for record: DeviceRecord, _ builder: borrowing DomainBuilder, _ memory: inout BootMemory
  ) -> InterruptMessage? {
    let owner = Int(record.domain)
    let name = domains[owner].name
    guard mayReachMemory(function, record, name) else { return nil }
    do throws(IOMMUError) {
      try attach(function, to: owner, builder, &memory)
      return try message(of: function, to: target(owner))
    } catch {
      log(.error, "\(name): \(error.line)")
      return nil
    }
  }

  /// Whether an IOMMU checks the function's requests, or the description does without one; else that is reported.
  func mayReachMemory(_ function: Int, _ record: DeviceRecord, _ name: ShortName) -> Bool {
    if bus.isCovered(function) || record.isUnprotected != 0 { return true }
    let address = functions[function].address
    log(.error, "\(name): no IOMMU keeps \(address) to its memory, and the description does not allow that")
    return false
  }

  /// A message that the function may send.
  func message(of function: Int, to target: InterruptTarget) throws(IOMMUError) -> InterruptMessage {
    guard bus.isCovered(function) else { return try target.message() }
    return try remapping[0].makeInterrupt(from: .device(functions[function].address), to: target).message
  }

  // MARK: - Finding

  /// The function that record `index` means; `nil` if there is none, which is then reported.
  private func find(_ index: Int) -> Int? {
    let record = reader.device(index)
    let name = reader.domain(Int(record.domain)).name
    guard record.isAny == 0 else { return findAny(index, record, name) }
    guard let place = functions.span.index(of: FunctionAddress(record.address)) else {
      log(.error, "\(name): there is no PCI device at \(FunctionAddress(record.address))")
      return nil
    }
    if functions[place].isKind(record.kind) { return place }
    log(.error, "\(name): what is at \(functions[place].line) is no AHCI controller")
    return nil
  }

  /// A function for a record that takes any of its kind.
  private func findAny(_ index: Int, _ record: DeviceRecord, _ name: ShortName) -> Int? {
    for place in 0..<functions.count where self.record(ofFunction: place) == index { return place }
    log(.error, "\(name): this machine has no AHCI controller that is free")
    for place in 0..<functions.count where functions[place].isKind(record.kind) {
      guard let owner = owner(ofFunction: place) else { continue }
      log(.error, "\(name):   \(functions[place].address) is what \(domains[Int(owner)].name) has")
    }
    return nil
  }

  /// The domain that the function goes to.
  func owner(ofFunction place: Int) -> UInt32? { record(ofFunction: place).map { reader.device($0).domain } }

  /// The record that gives a function away: that which names it, or else, of those that take any of its kind, the one
  /// whose turn it is.
  private func record(ofFunction place: Int) -> Int? {
    if let index = recordNaming(place) { return index }
    for index in 0..<reader.count(.devices) {
      let record = reader.device(index)
      guard record.isAny != 0, functions[place].isKind(record.kind) else { continue }
      if turn(ofRecord: index) == turn(ofFunction: place, record.kind) { return index }
    }
    return nil
  }

  /// How many records before `index` take any function of the same kind.
  private func turn(ofRecord index: Int) -> Int {
    var turn = 0
    for other in 0..<index {
      let record = reader.device(other)
      if record.isAny != 0, record.kind == reader.device(index).kind { turn += 1 }
    }
    return turn
  }

  /// How many functions of that kind before `place` no record names.
  private func turn(ofFunction place: Int, _ kind: UInt32) -> Int {
    var turn = 0
    for other in 0..<place where functions[other].isKind(kind) && recordNaming(other) == nil { turn += 1 }
    return turn
  }

  /// The record that has the function's address.
  private func recordNaming(_ place: Int) -> Int? {
    for index in 0..<reader.count(.devices) {
      let record = reader.device(index)
      if record.isAny == 0, record.address == PCIAddress(functions[place].address) { return index }
    }
    return nil
  }

  // MARK: - Handing over

  /// Whether the function's ranges are its own; else that is reported.
  func hasOwnRanges(
    _ function: Int, _ name: ShortName, isSameOwner: (Int) -> Bool = { _ in false }
  ) -> Bool {
    do throws(RangeProblem) {
      try functions.span.checkRanges(of: function, taken, isSameOwner: isSameOwner)
      return true
    } catch {
      log(.error, "\(name): \(error.line(of: functions[function].address))")
      return false
    }
  }

  /// The pages of the device's registers, if nothing else is in them.
  private func registers(of function: Int, name: ShortName) -> PhysicalRange? {
    guard hasOwnRanges(function, name) else { return nil }
    let base = functions[function].ranges[AHCIFunction.range]
    let room = AddressMap.deviceMemory - AddressMap.deviceRegisters
    guard base.isMemory, base.size <= room else {
      log(.error, "\(name): \(functions[function].address) has no registers where AHCI has them")
      return nil
    }
    return base.pages
  }

  /// The line that the description wants used in place of messages; `nil` if it names none, or one that cannot be had.
  private func serverLine(of record: DeviceRecord, _ name: ShortName) throws(BootError) -> InterruptLine? {
    guard let place = pin(of: record, name, isShareable: false) else { return nil }
    let entry = try remapping.redirection(
      from: machine.topology.ioapic(place.controller).id, to: target(Int(record.domain), isLevel: true),
      isActiveLow: true)
    return InterruptLine(
      controller: place.controller, pin: place.pin, entry: entry, isLevel: true, owner: Int(record.domain),
      notification: Notifications.interrupt(Int(record.slot)).rawValue)
  }

  /// Where the line that a record names arrives; `nil` if it names none, or one that cannot be had, which is reported.
  /// Devices of guests share a pin; that of a server's is its alone, since nobody asks its device who interrupted.
  func pin(
    of record: DeviceRecord, _ name: ShortName, isShareable: Bool
  ) -> (controller: Int, pin: UInt32)? {
    guard record.line != DomainRecord.noIndex else { return nil }
    guard let place = interrupts.pin(ofGSI: record.line, machine.topology) else {
      log(.error, "\(name): no interrupt controller has GSI \(record.line)")
      return nil
    }
    guard !interrupts.isNonMaskable(place.controller, place.pin) else {
      log(.error, "\(name): GSI \(record.line) is for non-maskable interrupts, and cannot be had")
      return nil
    }
    for index in 0..<lines.count where lines[index].isLevel && lines[index].isFound {
      guard lines[index].controller == place.controller, lines[index].pin == place.pin else { continue }
      guard isShareable, lines[index].page != nil else {
        log(.error, "\(name): GSI \(record.line) is that of \(domains[lines[index].owner].name), and cannot be shared")
        return nil
      }
    }
    return place
  }

  /// Lets the device answer, reach memory, and interrupt: by `message`, or by its line if that is `nil`.
  private func start(_ function: Int, _ message: InterruptMessage?, _ name: ShortName) -> InterruptDelivery {
    functions[function].change(inserting: .memorySpace | .busMaster, removing: .ioSpace, in: access)
    guard let message else {
      functions[function].silence(in: access)
      functions[function].change(removing: .interruptDisable, in: access)
      return .line
    }
    do throws(MessageProblem) {
      try functions[function].enableMessage(message, in: access)
      return .message
    } catch {
      log(.warning, "\(name): \(functions[function].address) sends no messages; give the disk its `interrupt`")
      return .none
    }
  }
}

/// A function, by its number among those of the bus, and who has it.
struct GivenDevice {
  let function: Int
  let owner: Int
  let wall: DeviceWall
}

/// What a Serial ATA controller with AHCI's registers is by its class, and where these are (AHCI 1.3.1, §2.1).
private enum AHCIFunction {
  static var classCode: UInt32 { 0x01_0601 }
  static var range: Int { 5 }
}

extension PCIFunction {
  fileprivate func isKind(_ kind: UInt32) -> Bool {
    switch PCIDeviceKind(rawValue: kind) {
    case .ahci: identity.classCode == AHCIFunction.classCode
    case .passthrough, nil: false
    }
  }
}
