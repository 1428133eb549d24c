// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import Firmware
import IOMMU
import PCI
import Virtualisation
import X86

/// A PCI function of the machine that a guest has, as the kernel looks after it for that guest's VMM.
///
/// Only the core of its owner's thread changes it. It never leaves the owner: from one life of the VM to the next it is
/// silenced, and begins nothing before its VMM has reset it.
struct PassedFunction: ~Copyable {
  /// The domain of the VMM.
  let owner: Int
  /// Its number among the owner's.
  let number: Int
  /// `nil` if it is not there, or cannot be given away.
  let place: FunctionPlace?
  let page: PassedDevice
  /// Its line, an index of `Kernel.lines`; those of its messages follow.
  let firstLine: Int
  /// The redirection entry that brings its line from each I/O APIC.
  let routes: FixedList<16, UInt64>
  var reset: FunctionReset?
  var delivery = PassedDelivery.none
  /// Where its guest has its memory ranges.
  var mapped: InlineArray<6, UInt64?> = InlineArray(repeating: nil)
  private let inPlace = InPlace()

  init(_ plan: PassedPlan) {
    owner = plan.owner
    number = plan.number
    place = plan.place
    page = plan.page
    firstLine = plan.firstLine
    routes = plan.routes
  }
}

/// A function and what the kernel must know to give it away.
struct FunctionPlace {
  let function: PCIFunction
  /// As firmware set it up.
  let saved: SavedConfiguration
  let resetMethod: ResetMethod?
  /// What it sends for each of its messages.
  var messages = FixedList<16, InterruptMessage>()

  /// The pages of memory range `range`, for its guest.
  func registerPages(of range: Int) -> DeviceRegisterPages {
    let pages = function.ranges[range].pages
    return DeviceRegisterPages(start: pages.start, size: pages.size, hidden: tablePages(of: range))
  }

  /// Pages of memory range `range` that its guest must not have: they hold the table of messages.
  private func tablePages(of range: Int) -> Range<UInt64>? {
    guard let table = function.capabilities.messageTable, table.tableRange == range else { return nil }
    let end = table.tableOffset + 16 * UInt64(table.count)
    return table.tableOffset.roundedDown(to: 4096)..<(end.roundedUp(to: 4096) ?? end)
  }
}

/// The way to a device's registers, for tables of messages.
struct DeviceRegisters: DeviceMemory {
  let registers: Cell<RegisterMap>

  func write32(_ value: UInt32, at address: PhysicalAddress) throws(MessageProblem) {
    guard let register = DeviceRegister(address, width: 4, in: registers) else { throw .outOfReach }
    register.write(UInt64(value), width: 4)
  }
}

/// What becomes a `PassedFunction`.
struct PassedPlan {
  let owner: Int
  let number: Int
  let place: FunctionPlace?
  let page: PassedDevice
  let firstLine: Int
  let routes: FixedList<16, UInt64>
}
