// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import Speculation
import Virtualisation
import X86

/// Turning a core into one of ours; each core does it for itself.
enum CoreSetup {
  /// - Parameter gates: The interrupt descriptor table, the same for all cores.
  static func enter(
    _ memory: CoreMemory, gates: PhysicalAddress, features: ProcessorFeatures, support: GuestSupport,
    plan: SpeculationPlan, space: AddressSpace
  ) {
    enterParked(memory, gates: gates, features: features, space: space)
    support.enable(memory, gates: gates, plan)
    plan.begin()
  }

  /// What a core needs of that which only waits for machine checks.
  static func enterParked(
    _ memory: CoreMemory, gates: PhysicalAddress, features: ProcessorFeatures, space: AddressSpace
  ) {
    // LTR writes to the descriptor table, which is read-only on the kernel's own page tables when boot is over.
    MachineMemory.useBootTables()
    loadTables(memory, gates)
    cx86_write_cr3(space.root.value)
    setControlRegisters(features)
    setSystemCalls(memory)
  }

  private static func loadTables(_ memory: CoreMemory, _ gates: PhysicalAddress) {
    var taskState = TaskState()
    for number in 0..<TrapStack.count {
      guard let stack = TrapStack(index: number) else { continue }
      taskState.setInterruptStack(Int(stack.number), stack.start(ofCore: memory.index))
    }
    memory.taskState.value = taskState
    let task = Descriptor.taskState(memory.taskState.address)
    let descriptors: [8 of UInt64] = [
      0, Descriptor.kernelCode, Descriptor.kernelData, 0, Descriptor.userData, Descriptor.userCode,
      task.0, task.1,
    ]
    memory.descriptors.value = descriptors
    var gdt = cx86_table(limit: 63, base: memory.descriptors.address)
    var idt = cx86_table(limit: 4095, base: DirectMap.base + gates.value)
    // SAFETY: both tables are complete and stay where they are.
    unsafe cx86_load_tables(&gdt, &idt)
  }

  /// CR0 with TS: only guests use floating point, and a component that does is stopped. CR4 with PCIDE: the core is in
  /// long mode on the kernel's own tables, whose number is 0, as the processor wants it.
  private static func setControlRegisters(_ features: ProcessorFeatures) {
    let cr0: CR0 = .protection | .monitor | .taskSwitched | .extensionType | .numericError | .writeProtect | .paging
    cx86_write_cr0(cr0.rawValue)
    var cr4: CR4 = .pae | .fxsave | .simdExceptions | .machineCheck
    cr4.set(.numberedSpaces, to: features.hasSpaceNumbers)
    cr4.set(.xsave, to: features.hasXSAVE)
    cr4.set(.smep, to: features.hasSMEP)
    cr4.set(.smap, to: features.hasSMAP)
    cr4.set(.umip, to: features.hasUMIP)
    cx86_write_cr4(cr4.rawValue)
    // Before the core is ever in ring 3.
    cx86_set_access_control(features.hasSMAP ? 1 : 0)
  }

  /// SYSCALL enters entry.S with interrupts off; SYSRET goes back to the user's selectors. No other way in leads anywhere.
  /// Where guests have these registers for good, both are off (`VMXSupport.enable`).
  private static func setSystemCalls(_ memory: CoreMemory) {
    MSR.efer.value |= EFER.systemCall.rawValue | EFER.noExecute.rawValue
    let entries = PrivilegedEntry.all
    for index in 0..<entries.count { MSR(entries[index].rawValue).value = value(of: entries[index]) }
    MSR.gsBase.value = 0
    MSR.kernelGSBase.value = memory.block.address
  }

  private static func value(of entry: PrivilegedEntry) -> UInt64 {
    switch entry {
    case .star: UInt64(Selector.kernelCode) << 32 | UInt64(Selector.userBase) << 48
    case .longStar: cx86_system_call_entry_address()
    case .compatibleStar: cx86_forbidden_call_entry_address()
    // Cleared on the way in: AC, NT, IOPL, DF, IF, TF.
    case .callFlagMask: 0x4_7700
    // SYSENTER with a code segment of 0 is #GP.
    case .sysenterCS, .sysenterESP, .sysenterEIP: 0
    }
  }

  /// Fills the interrupt descriptor table: 256 gates to entry.S. One is open to ring 3 where components call by it.
  static func fillGates(_ table: PhysicalAddress, _ support: GuestSupport) {
    let entries = cx86_trap_entries_address()
    let words: Cell<[512 of UInt64]> = BootMemory.place(at: table)
    for vector in 0..<256 {
      let stack = TrapStack(vector: vector)?.number ?? 0
      let gate = Descriptor.gate(
        entries + UInt64(vector) * 16, interruptStack: stack,
        isOpen: vector == Int(CX86_CALL_GATE) && support.callsByGate)
      words.value[2 * vector] = gate.0
      words.value[2 * vector + 1] = gate.1
    }
  }
}
