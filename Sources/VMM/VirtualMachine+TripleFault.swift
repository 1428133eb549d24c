// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Decoding
import Machine

// QEMU 7.2's TCG with several cores now and then finds none of a guest's pages for the length of one entry: whatever the
// guest does then, and each descriptor that is to deliver the fault, seems not to be mapped, until there is a triple
// fault. The guest's tables are as they were, and the next entry finds them (decision 14). So where the emulator says
// so, and the tables contradict it, the guest goes on at the instruction that it was at.

extension VirtualMachine {
  /// How often one VM may be wrongly accused before it is stopped all the same.
  private static var patience: Int { 64 }

  /// A fault while a double fault was delivered: the end of the guest, unless it is the emulator's mistake.
  mutating func tripleFault() -> Disposition {
    guard Mapped<SystemInformation>.information.value.isTranslated != 0, mistakenFaults < Self.patience,
      isDescriptorReadable
    else { stop("triple fault") }
    mistakenFaults += 1
    Kernel.log(.warning, "the emulator did not find the guest's pages for a moment; the guest goes on")
    return .resume
  }

  /// Whether the address that could not be read last, the double fault's descriptor, is there for the guest to read.
  private var isDescriptorReadable: Bool {
    let table = cpu.value.segments.idtr
    let address = cpu.value.cr2
    guard address >= table.base, address - table.base <= UInt64(table.limit) else { return false }
    do throws(PageWalkError) {
      _ = try PageWalk(paging, pc.memory).translate(address, for: PageAccess())
      return true
    } catch {
      return false
    }
  }
}
