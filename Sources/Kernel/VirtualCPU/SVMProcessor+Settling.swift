// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Speculation
import Virtualisation
import X86

/// Exits that nobody else hears of.
extension SVMProcessor {
  /// Does what an exit wants that no VMM needs to see. → whether the guest goes on at once
  @inline(__always)
  mutating func settles(_ registers: Cell<VirtualCPUState>) -> Bool {
    guard SVMExitCode.mayBeSettled(vmcb[.exitCode]) else { return false }
    return settlesRegister(registers)
  }

  @inline(never)
  private mutating func settlesRegister(_ registers: Cell<VirtualCPUState>) -> Bool {
    switch vmcb[.exitCode] {
    case SVMExitCode.writeCR4: settlesCR4(registers)
    case SVMExitCode.modelSpecific: settlesControl(registers)
    case SVMExitCode.interruptReturn: settlesInterruptReturn()
    default: false
    }
  }

  /// A guest ends its handling of an NMI, and may take another.
  @inline(never)
  private mutating func settlesInterruptReturn() -> Bool {
    vmcb[.intercept1] &= ~Self.interruptReturn
    return true
  }

  /// A guest reads or writes a register; SPEC_CTRL may be the kernel's to keep.
  private mutating func settlesControl(_ registers: Cell<VirtualCPUState>) -> Bool {
    let words = registers.value.registers.words
    guard UInt32(truncatingIfNeeded: words[1]) == MSR.speculation.number, control.isThere else { return false }
    if vmcb[.exitInformation1] == 0 {
      vmcb[.rax] = control.value.rawValue & 0xffff_ffff
      registers.value.registers.words[2] = control.value.rawValue >> 32
    } else {
      switch control.write(words[2] << 32 | vmcb[.rax] & 0xffff_ffff) {
      case .kept: break
      case .own:
        ownControl = control.value.rawValue
        vmcb[.msrPermissions] = permissions.ownRegisters.value
      case .refused:
        injectProtectionFault()
        return true
      }
    }
    // Both instructions have two bytes.
    vmcb[.rip] = capabilities.hasNextRIP ? vmcb[.nextRIP] : vmcb[.rip] &+ 2
    vmcb[.interruptShadow] = 0
    return true
  }

  /// #GP; the error code, 0, is for protected mode.
  private func injectProtectionFault() {
    let hasErrorCode: UInt64 = vmcb[.cr0] & CR0.protection.rawValue != 0 ? 1 << 11 : 0
    vmcb[.eventInjection] = 13 | 3 << 8 | hasErrorCode | Self.eventValid
  }

  /// A guest writes CR4, on a processor that has bits of it that guests are not shown.
  private mutating func settlesCR4(_ registers: Cell<VirtualCPUState>) -> Bool {
    guard let source = SVMExit.sourceRegister(vmcb[.exitInformation1]) else { return false }
    let word =
      switch source {
      case 0: vmcb[.rax]
      case 4: vmcb[.rsp]
      default: registers.value.registers.words[source]
      }
    let mode = ControlMode(efer: vmcb[.efer], isLongCode: vmcb[VMCBSegment.cs.attributes] & 1 << 9 != 0)
    guard let value = cr4.write(word, over: vmcb[.cr4], mode, cr3: vmcb[.cr3]) else {
      injectProtectionFault()
      return true
    }
    if value != vmcb[.cr4] { forgetTranslations() }
    vmcb[.cr4] = value
    vmcb[.rip] = vmcb[.nextRIP]
    vmcb[.interruptShadow] = 0
    return true
  }
}
