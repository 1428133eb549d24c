// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Speculation
import Virtualisation
import X86

/// Registers of a guest that the kernel keeps.
///
/// Those of its own SYSCALL. A guest writes them once in its life, so that an exit for each costs less than
/// to store and load them at every other: the kernel keeps them, and entry and exit switch them for as long as the guest's
/// SYSCALL is on. And SPEC_CTRL (`GuestControl`).
extension VMXProcessor {
  /// Does what a RDMSR or WRMSR of one of them wants. → whether it was one
  func settlesRegister(_ registers: Cell<VirtualCPUState>, isWrite: Bool) -> Bool {
    let number = UInt32(truncatingIfNeeded: registers.value.registers.words[1])
    guard number == MSR.speculation.number else { return settlesCallRegister(registers, isWrite: isWrite) }
    return settlesControl(registers, isWrite: isWrite)
  }

  private func settlesControl(_ registers: Cell<VirtualCPUState>, isWrite: Bool) -> Bool {
    guard state.value.control.isThere else { return false }
    if isWrite {
      let words = registers.value.registers.words
      switch state.value.control.write(words[2] << 32 | words[0] & 0xffff_ffff) {
      case .kept: break
      case .own:
        registerList[VMXRegisterList.control] = (UInt64(MSR.speculation.number), state.value.control.value.rawValue)
        placeRegisters()
        vmcs[.registerMap] = registerMap
      case .refused:
        injectProtectionFault()
        return true
      }
    } else {
      let value = state.value.control.value.rawValue
      registers.value.registers.words[0] = value & 0xffff_ffff
      registers.value.registers.words[2] = value >> 32
    }
    skipInstruction()
    endInstruction()
    return true
  }

  /// The map of registers that exit.
  var registerMap: UInt64 {
    permissions.map(isShared: state.value.isShared, ownsControl: state.value.control.isOwn).value
  }

  private func settlesCallRegister(_ registers: Cell<VirtualCPUState>, isWrite: Bool) -> Bool {
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
    for index in VMXRegisterList.firstCall..<VMXRegisterList.count {
      let number = VMXRegisterList.number(index)
      list[index] = (UInt64(number), state.value.calls[number] ?? 0)
    }
  }

  /// Has entry and exit switch KernelGSbase, and SPEC_CTRL if that is the guest's own. An exit stores what the next entry
  /// loads, but for what exits to write it.
  func placeRegisters() {
    let part = VMXRegisterList.part(ownsControl: state.value.control.isOwn, hasCalls: false)
    vmcs[.exitStore] = registerList.start.value + part.offset
    vmcs[.entryLoad] = registerList.start.value + part.offset
    vmcs[.exitLoad] = host.physicalAddress.value + VMXHost.registerList + part.offset
    vmcs[.exitStoreCount] = part.count
    switchCallRegisters()
  }

  /// Has them switch those of the guest's SYSCALL, too, or, where that is off, let the host's be.
  func switchCallRegisters() {
    let hasCalls = state.value.known.efer & EFER.systemCall.rawValue != 0
    let part = VMXRegisterList.part(ownsControl: state.value.control.isOwn, hasCalls: hasCalls)
    vmcs[.entryLoadCount] = part.count
    vmcs[.exitLoadCount] = part.count
  }

  /// The registers that switch with the guest.
  var registerList: VMXRegisterList { VMXRegisterList(start: state.physicalAddress + VMXState.registerList) }
}
