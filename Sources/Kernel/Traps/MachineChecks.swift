// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Processors
import Synchronization
import X86

/// What the handlers of NMIs and machine checks need and cannot be handed; without it, before the cores run, an NMI is
/// let go and a machine check that is more than corrected ends the machine.
struct MachineChecks {
  /// Of each core, used or parked.
  let events: Table<CoreEvents>
  /// Where guests' memory is.
  let memory: Table<GuestExtent>
  let rules: MachineCheckRules
  /// Ticks of a second.
  let frequency: UInt64

  /// A part of a guest's memory.
  struct GuestExtent: BitwiseCopyable {
    let domain: Int
    let guestAddress: UInt64
    let start: UInt64
    let size: UInt64
  }

  /// The guest that has some of this memory, and where for it.
  func guest(at address: PhysicalAddress, size: UInt64) -> (domain: Int, address: UInt64)? {
    for index in 0..<memory.count {
      let extent = memory[index]
      guard address.value < extent.start + extent.size, address.value + size > extent.start else { continue }
      let offset = max(address.value, extent.start) - extent.start
      return (extent.domain, extent.guestAddress + offset)
    }
    return nil
  }
}

/// Where the kernel is for handlers of traps; 0 until the cores may run.
struct TrapState: ~Copyable {
  private let address = Atomic<UInt64>(0)

  func keep(_ kernel: Cell<Kernel>) { address.store(kernel.address, ordering: .releasing) }

  var kernel: Cell<Kernel>? {
    let address = address.load(ordering: .acquiring)
    // SAFETY: the address of a `Cell<Kernel>`, which stays.
    guard address != 0, let pointer = unsafe UnsafeMutablePointer<Kernel>(bitPattern: UInt(address)) else { return nil }
    return unsafe Cell(unsafePointer: pointer)
  }
}

let trapState = TrapState()

extension MachineCheckRules {
  /// This machine's.
  static var own: MachineCheckRules {
    let vendor = cx86_cpuid(0, 0)
    // "AuthenticAMD" and "HygonGenuine" end so.
    let isAMD = vendor.ecx == 0x444d_4163 || vendor.ecx == 0x656e_6975
    let recovery = isAMD && cx86_cpuid(0x8000_0000, 0).eax >= 0x8000_0007 ? cx86_cpuid(0x8000_0007, 0).ebx : 0
    return MachineCheckRules(
      capability: Self.isThere ? MSR(MachineCheckRegister.capability).value : 0, isAMD: isAMD, recovery: recovery)
  }

  /// Whether the processor has such registers: MCE and MCA in CPUID 1.
  private static var isThere: Bool { cx86_cpuid(1, 0).edx & (1 << 7 | 1 << 14) == 1 << 7 | 1 << 14 }
}

/// The error registers of this core.
enum ErrorBanks {
  /// Switches all of them on, and clears what they hold, which is handed to `found` first.
  static func enable(_ rules: MachineCheckRules, _ found: (MachineCheckBank) -> Void) {
    guard rules.capability.bankCount > 0 else { return }
    if rules.capability.contains(.hasControl) { MSR(MachineCheckRegister.control).value = .max }
    each(rules) { bank in
      found(bank)
      clear(bank)
    }
    for bank in 0..<rules.capability.bankCount { MSR(MachineCheckRegister.control(bank)).value = .max }
    MSR(MachineCheckRegister.global).value = 0
  }

  /// Calls `body` with each that holds an error.
  static func each(_ rules: MachineCheckRules, _ body: (MachineCheckBank) -> Void) {
    for number in 0..<rules.capability.bankCount {
      let bank = MachineCheckBank(number) { MSR($0).value }
      if bank.status.contains(.isValid) { body(bank) }
    }
  }

  static func clear(_ bank: MachineCheckBank) { MSR(MachineCheckRegister.status(bank.number)).value = 0 }
}
