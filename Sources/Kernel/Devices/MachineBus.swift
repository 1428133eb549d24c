// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import BootReport
import Bus
import Firmware
import IOMMU
import PCI

/// All PCI functions of the machine, found at boot if anybody is to have one, or an IOMMU looks after them; from then on
/// they reach nothing and interrupt nobody but as they are allowed.
struct MachineBus {
  let access: BusAccess
  let functions: Table<PCIFunction>
  /// The IOMMUs, together one; none if the machine has none that works.
  let remapping: Table<Remapping>

  init(
    _ machine: MachineDescription, _ access: BusAccess, hasDevices: Bool, _ scale: TimeScale,
    _ memory: inout BootMemory
  ) throws(BootError) {
    self.access = access
    functions = try Self.find(access, isNeeded: hasDevices || machine.remapping != nil, &memory)
    Self.silence(functions, access)
    remapping = try Remapping.start(machine, functions, scale, &memory)
  }

  /// Whether an IOMMU checks the function's requests.
  func isCovered(_ function: Int) -> Bool { remapping.count > 0 && remapping[0].covers(functions[function].address) }

  /// What keeps the function to what is its owner's.
  func wall(around function: Int) -> DeviceWall {
    guard isCovered(function) else { return .none }
    return remapping[0].remapsInterrupts ? .iommu : .memoryAlone
  }

  /// Has `target` interrupted for each request that an IOMMU refuses.
  func reportFaults(to target: InterruptTarget) throws(IOMMUError) {
    guard remapping.count > 0 else { return }
    try remapping[0].enableFaultInterrupts(target)
    let message = try target.message()
    for unit in 0..<AMDRemapping.unitCapacity {
      guard let address = remapping[0].faultSource(unit) else { continue }
      guard let index = functions.span.index(of: address) else {
        log(.warning, "there is no IOMMU at \(address): what it refuses is not reported")
        continue
      }
      do throws(MessageProblem) {
        functions[index].change(inserting: .busMaster, in: access)
        try functions[index].enableMessage(message, in: access)
      } catch {
        log(.warning, "the IOMMU at \(address) sends no messages: what it refuses is not reported")
      }
    }
  }

  /// Finds them, each with its IOMMU group.
  private static func find(
    _ access: BusAccess, isNeeded: Bool, _ memory: inout BootMemory
  ) throws(BootError) -> Table<PCIFunction> {
    var count = 0
    if isNeeded {
      var scan = access.scan
      while count < PCIScan.capacity, scan.next(in: access) != nil { count += 1 }
    }
    var scan = access.scan
    let functions = try memory.table(count) { _ in scan.next(in: access) ?? PCIFunction() }
    for index in 0..<count {
      functions[index].enableIsolation(in: access)
      functions[index].switchOffTranslation(in: access)
    }
    if count == PCIScan.capacity { silenceRest(scan, access) }
    functions.change { $0.assignGroups() }
    return functions
  }

  /// Silences what there is no room for, one by one, and says how many they are.
  private static func silenceRest(_ scan: consuming PCIScan, _ access: BusAccess) {
    var count = 0
    while let function = scan.next(in: access) {
      count += 1
      if function.canBeSilent { function.quiesce(in: access) }
    }
    guard count > 0 else { return }
    log(.error, "PCI: \(count) functions more than Roost has room for (\(PCIScan.capacity)): nobody can have them")
  }

  /// Keeps all devices that nobody has yet from reaching memory and from sending interrupts, but for what the machine needs.
  private static func silence(_ functions: Table<PCIFunction>, _ access: BusAccess) {
    for index in 0..<functions.count where functions[index].canBeSilent { functions[index].quiesce(in: access) }
  }
}

extension PCIAddress {
  init(_ address: FunctionAddress) {
    self.init(rawValue: UInt32(address.segment) << 16 | UInt32(address.requester))
  }
}

extension FunctionAddress {
  init(_ address: PCIAddress) {
    self.init(segment: address.segment, requester: UInt16(truncatingIfNeeded: address.rawValue))
  }
}
