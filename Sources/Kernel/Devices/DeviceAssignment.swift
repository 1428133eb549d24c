// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import Firmware
import PCI

/// Finds the PCI devices that the boot image gives to domains, and hands them over: their registers, one interrupt, and
/// the right to reach memory.
///
/// A device that is not there, or cannot be handed over, is reported; its domain starts all the same and says so to
/// those that wait for it.
struct DeviceAssignment: ~Escapable {
  private let reader: BootImage
  private let access: BusAccess
  private let functions: Table<PCIFunction>
  private let machine: MachineDescription

  /// Looks at all functions of the machine, if any domain is to have one.
  @_lifetime(copy reader)
  init(_ reader: BootImage, _ machine: MachineDescription, _ memory: inout BootMemory) throws(BootError) {
    self.reader = reader
    self.machine = machine
    access = BusAccess(machine.windows)
    var count = 0
    if reader.count(.devices) > 0 {
      var scan = access.scan
      while count < PCIScan.capacity, scan.next(in: access) != nil { count += 1 }
    }
    var scan = access.scan
    let access = access
    functions = try memory.table(count) { _ in scan.next(in: access) ?? PCIFunction() }
  }

  /// Hands over the devices of all domains.
  /// - Parameter vector: The first vector that is free for their messages.
  /// - Returns: Their interrupts, one after the other from that vector on.
  func assign(
    _ builder: borrowing DomainBuilder, _ cores: Table<Core>, _ domains: Table<Domain>, firstVector: UInt64,
    _ memory: inout BootMemory
  ) throws(BootError) -> FixedList<16, InterruptLine> {
    var lines = FixedList<16, InterruptLine>()
    for index in 0..<reader.count(.devices) {
      let record = reader.device(index)
      let owner = Int(record.domain)
      let core = cores[Int(reader.domain(owner).core)].apicID
      var information = builder.information(of: record)
      if let function = find(index), let range = registers(of: function, name: domains[owner].name, memory.map) {
        let message = InterruptMessage(
          address: 0xfee0_0000 | UInt64(core) << 12, data: UInt32(firstVector) + UInt32(lines.count))
        information.isPresent = 1
        information.address = PCIAddress(functions[function].address)
        information.vendor = functions[function].identity.vendor
        information.device = functions[function].identity.device
        information.registersSize = range.size
        try builder.map(range, into: owner, domains, &memory)
        information.interruptDelivery = start(function, message, domains[owner].name).rawValue
      }
      try lines.append(
        InterruptLine(
          controller: 0, pin: 0, entry: 0, isLevel: false, owner: owner,
          notification: Notifications.interrupt(Int(record.slot)).rawValue),
        orSay: "the description has more than 16 devices")
      try builder.map(information, into: owner, domains, &memory)
    }
    return lines
  }

  // MARK: - Finding

  /// The function that record `index` means; `nil` if there is none, which is then reported.
  private func find(_ index: Int) -> Int? {
    let record = reader.device(index)
    let name = reader.domain(Int(record.domain)).name
    for place in 0..<functions.count where record.isAny == 0 {
      guard PCIAddress(functions[place].address) == record.address else { continue }
      if functions[place].isKind(record.kind) { return place }
      log(.error, "\(name): what is at \(functions[place].line) is no AHCI controller")
      return nil
    }
    if record.isAny == 0 {
      log(.error, "\(name): there is no PCI device at \(FunctionAddress(record.address))")
      return nil
    }
    for place in 0..<functions.count where functions[place].isKind(record.kind) && !isNamed(place, before: index) {
      return place
    }
    log(.error, "\(name): this machine has no AHCI controller that is free")
    return nil
  }

  /// Whether a record names the function, or one before `index` got it as the first.
  private func isNamed(_ place: Int, before index: Int) -> Bool {
    var taken = 0
    for other in 0..<reader.count(.devices) {
      let record = reader.device(other)
      if record.isAny == 0, PCIAddress(functions[place].address) == record.address { return true }
      if record.isAny != 0, other < index { taken += 1 }
    }
    // Those before got the first of the functions that no record names.
    var before = 0
    for earlier in 0..<place where functions[earlier].isKind(reader.device(index).kind) {
      if !isNamedByAddress(earlier) { before += 1 }
    }
    return before < taken
  }

  private func isNamedByAddress(_ place: Int) -> Bool {
    for other in 0..<reader.count(.devices) {
      let record = reader.device(other)
      if record.isAny == 0, PCIAddress(functions[place].address) == record.address { return true }
    }
    return false
  }

  // MARK: - Handing over

  /// The pages of the device's registers, if nothing else is in them.
  private func registers(of function: Int, name: ShortName, _ map: MemoryMap) -> PhysicalRange? {
    let topology = machine.topology
    do throws(RangeProblem) {
      try functions.span.checkRanges(of: function) { range in
        if range.overlaps(PhysicalRange(start: topology.localAPIC, size: 4096)) { return true }
        for index in 0..<topology.ioapicCount
        where range.overlaps(PhysicalRange(start: topology.ioapic(index).address, size: 4096)) {
          return true
        }
        for index in 0..<map.freeCount where range.overlaps(map.freeRange(index)) { return true }
        return false
      }
    } catch {
      log(.error, "\(name): \(error.line(of: functions[function].address))")
      return nil
    }
    let base = functions[function].ranges[AHCIFunction.range]
    let room = AddressMap.deviceMemory - AddressMap.deviceRegisters
    guard base.isMemory, base.size <= room else {
      log(.error, "\(name): \(functions[function].address) has no registers where AHCI has them")
      return nil
    }
    return base.pages
  }

  /// Lets the device answer, reach memory, and send its message.
  private func start(_ function: Int, _ message: InterruptMessage, _ name: ShortName) -> InterruptDelivery {
    functions[function].change(inserting: .memorySpace | .busMaster, removing: .ioSpace, in: access)
    do throws(MessageProblem) {
      try functions[function].enableMessage(message, in: access)
      return .message
    } catch {
      log(.warning, "\(name): \(functions[function].address) sends no messages; it is looked at again and again")
      return .none
    }
  }
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
    case nil: false
    }
  }
}

extension PCIAddress {
  fileprivate init(_ address: FunctionAddress) {
    self.init(rawValue: UInt32(address.segment) << 16 | UInt32(address.requester))
  }
}

extension FunctionAddress {
  fileprivate init(_ address: PCIAddress) {
    self.init(segment: address.segment, requester: UInt16(truncatingIfNeeded: address.rawValue))
  }
}
