// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Virtualisation
import X86

/// The registers of a guest's own SYSCALL. A guest writes them once in its life, so that an exit for each costs less than
/// to store and load them at every other: the kernel keeps them, and entry and exit switch them for as long as the guest's
/// SYSCALL is on.
extension VMXProcessor {
  /// Does what a RDMSR or WRMSR of one of them wants. → whether it was one
  func settlesCallRegister(_ registers: Cell<VirtualCPUState>, isWrite: Bool) -> Bool {
    let words = registers.value.registers.words
    let number = UInt32(truncatingIfNeeded: words[1])
    guard let value = state.value.calls[number] else { return false }
    if isWrite {
      guard state.value.calls.write(words[2] << 32 | words[0] & 0xffff_ffff, to: number) else {
        injectProtectionFault()
        return true
      }
      fillRegisterList()
    } else {
      registers.value.registers.words[0] = value & 0xffff_ffff
      registers.value.registers.words[2] = value >> 32
    }
    skipInstruction()
    endInstruction()
    return true
  }

  /// An instruction ends with the trap of a single step, if the guest steps, and RF clear.
  private func endInstruction() {
    guard endsInTrap() else { return }
    let flags = vmcs[.rflags]
    if flags & 1 << 8 != 0 { vmcs[.pendingDebug] = vmcs[.pendingDebug] | DebugStatus.singleStep }
    vmcs[.rflags] = flags & ~(1 << 16)
  }

  /// Writes what the guest has into the list that an entry loads. KernelGSbase, which SWAPGS changes, an exit writes there.
  func fillRegisterList() {
    let list = registerList
    for index in 1..<VMXRegisterList.count {
      let number = VMXRegisterList.number(index)
      list[index] = (UInt64(number), state.value.calls[number] ?? 0)
    }
  }

  /// Has entry and exit switch those registers, or, where the guest's SYSCALL is off, let the host's be.
  func switchCallRegisters(_ isOn: Bool) {
    let count = UInt32(isOn ? VMXRegisterList.count : VMXRegisterList.alwaysCount)
    vmcs[.entryLoadCount] = count
    vmcs[.exitLoadCount] = count
  }

  /// The registers that switch with the guest.
  var registerList: VMXRegisterList { VMXRegisterList(start: state.physicalAddress + VMXState.registerList) }
}
