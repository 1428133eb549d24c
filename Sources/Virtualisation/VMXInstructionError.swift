// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Why a VMX instruction did nothing (Intel SDM volume 3, §31.4): the VM-instruction error field.
package enum VMXInstructionError {
  /// The sentence for `number`; what it says of VM entry is what Roost got wrong, not the guest.
  package static func sentence(_ number: UInt32) -> StaticString {
    switch number {
    case 0: "there is no current VMCS"
    case 1: "VMCALL was executed in VMX root operation"
    case 2: "VMCLEAR was given an address that is not that of a page"
    case 3: "VMCLEAR was given the VMXON region"
    case 4: "VMLAUNCH was given a VMCS that was launched before"
    case 5: "VMRESUME was given a VMCS that was not launched"
    case 6: "VMRESUME was executed after VMXOFF and VMXON"
    case 7: "VM entry refused the control fields"
    case 8: "VM entry refused the host-state fields"
    case 9: "VMPTRLD was given an address that is not that of a page"
    case 10: "VMPTRLD was given the VMXON region"
    case 11: "VMPTRLD was given a VMCS of another revision"
    case 12: "VMREAD or VMWRITE was given a field that this processor has not"
    case 13: "VMWRITE was given a field that can only be read"
    case 15: "VMXON was executed in VMX root operation"
    case 16, 17, 18, 24: "VM entry refused the executive VMCS"
    case 19, 20, 22, 23: "VMCALL did not find the dual-monitor treatment as it must be"
    case 25: "VM entry refused the VM-execution controls of the executive VMCS"
    case 26: "VM entry was tried in the shadow of MOV SS"
    case 28: "INVEPT or INVVPID was given an operand that is not allowed"
    default: "VMX gives an error that Roost does not know"
    }
  }
}

/// What the exit qualification says of a VM entry that refused the guest's state (Intel SDM volume 3, §27.8).
package enum VMXEntryFailure {
  /// The sentence for `qualification`; `nil` where it says nothing, and only the state itself tells.
  package static func sentence(_ qualification: UInt64) -> StaticString? {
    switch qualification {
    case 2: "VM entry refused the guest's page-directory-pointer entries, which PAE paging keeps in the VMCS"
    case 3: "VM entry refused an NMI, which the guest cannot take now"
    case 4: "VM entry refused the VMCS link pointer"
    default: nil
    }
  }
}
