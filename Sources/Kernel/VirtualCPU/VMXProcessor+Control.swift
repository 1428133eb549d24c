// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Speculation
import Virtualisation
import X86

/// SPEC_CTRL, which the kernel keeps for each guest (`GuestControl`), and which entry and exit switch for a guest that has
/// a value of its own. What else the VMCS has no field for moves with `ExtendedState`.
extension VMXProcessor {
  /// Does what a RDMSR or WRMSR of it wants. → whether it was one
  func settlesControl(_ registers: Cell<VirtualCPUState>, isWrite: Bool) -> Bool {
    let words = registers.value.registers.words
    let number = UInt32(truncatingIfNeeded: words[1])
    guard number == MSR.speculation.number, state.value.control.isThere else { return false }
    if isWrite {
      switch state.value.control.write(words[2] << 32 | words[0] & 0xffff_ffff) {
      case .kept: break
      case .own:
        placeControl()
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

  /// An instruction ends with the trap of a single step, if the guest steps, and RF clear.
  private func endInstruction() {
    guard endsInTrap() else { return }
    let flags = vmcs[.rflags]
    if flags & 1 << 8 != 0 { vmcs[.pendingDebug] = vmcs[.pendingDebug] | DebugStatus.singleStep }
    vmcs[.rflags] = flags & ~(1 << 16)
  }

  /// Has entry and exit switch the register, if it is the guest's own: an exit stores what the next entry loads.
  func placeControl() {
    let place = state.physicalAddress + VMXState.listedControl
    let entry: Cell<VMXListEntry> = BootMemory.place(at: place)
    entry.value = (UInt64(MSR.speculation.number), state.value.control.value.rawValue)
    vmcs[.exitStore] = place.value
    vmcs[.entryLoad] = place.value
    vmcs[.exitLoad] = host.physicalAddress.value + VMXHost.control
    let count: UInt32 = state.value.control.isOwn ? 1 : 0
    vmcs[.exitStoreCount] = count
    vmcs[.entryLoadCount] = count
    vmcs[.exitLoadCount] = count
  }

  /// The map of registers that exit.
  var registerMap: UInt64 {
    permissions.map(isShared: state.value.isShared, ownsControl: state.value.control.isOwn).value
  }
}
