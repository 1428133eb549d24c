// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What keeps a guest's value of a register from all others, and theirs from it.
package enum RegisterKeeper: Sendable, Equatable {
  /// VMLOAD and VMSAVE, before and after the guest.
  case loadAndSave
  /// Fields of the VMCS, at VM entry and exit.
  case fields
  /// `ExtendedState`, when another vCPU comes to the core.
  case extendedState
  /// The VMCB, where VMRUN and exit switch this. Else the kernel (`GuestControl`), to which each read and write exits until
  /// the guest sets a bit that the kernel has not; then svm.S, before and after the guest, or the list.
  case control
  /// Nothing: it is a command, of which nothing stays.
  case command
  /// No guest has it.
  case absent

  /// Whether guests have it with no exit from their start on, on all processors.
  package var isAlways: Bool {
    switch self {
    case .loadAndSave, .fields, .extendedState: true
    case .control, .command, .absent: false
    }
  }
}

/// A model-specific register that a guest reads and writes with no exit to its VMM.
package struct GuestRegister: Sendable {
  package let number: UInt32
  package let name: StaticString
  package let svm: RegisterKeeper
  package let vmx: RegisterKeeper

  init(_ number: UInt32, _ name: StaticString, svm: RegisterKeeper, vmx: RegisterKeeper) {
    self.number = number
    self.name = name
    self.svm = svm
    self.vmx = vmx
  }
}

/// A register that says where, and with what, ring 0 is entered on purpose. The kernel writes each on each core; those
/// of SYSCALL are then the guests' on VMX, and SYSCALL is off outside them.
package enum PrivilegedEntry: UInt32, Sendable {
  case sysenterCS = 0x0000_0174
  case sysenterESP = 0x0000_0175
  case sysenterEIP = 0x0000_0176
  case star = 0xC000_0081
  case longStar = 0xC000_0082
  case compatibleStar = 0xC000_0083
  case callFlagMask = 0xC000_0084

  /// All of them.
  package static var all: [7 of PrivilegedEntry] {
    [.sysenterCS, .sysenterESP, .sysenterEIP, .star, .longStar, .compatibleStar, .callFlagMask]
  }
}

/// The bits of a map of registers that let guests have one, by the byte that they are in.
package struct PermissionBits: Sendable, Equatable {
  package let offset: Int
  package let mask: UInt8

  /// Reading and writing it, in SVM's map: two bits each, from three bases (AMD APM volume 2, §15.11).
  package static func svm(_ number: UInt32) -> PermissionBits {
    let base = number >= 0xC001_0000 ? 0x1000 : number >= 0xC000_0000 ? 0x800 : 0
    let bit = Int(number & 0x1fff) * 2
    return PermissionBits(offset: base + bit / 8, mask: 3 << UInt8(bit % 8))
  }

  /// Reading it, or writing it, in VMX's map: four parts of 1 KiB, read low and high, write low and high (Intel SDM
  /// volume 3, §25.6.9).
  package static func vmx(_ number: UInt32, isWrite: Bool) -> PermissionBits {
    let part = (number >= 0xC000_0000 ? 0x400 : 0) + (isWrite ? 0x800 : 0)
    let bit = Int(number & 0x1fff)
    return PermissionBits(offset: part + bit / 8, mask: 1 << UInt8(bit % 8))
  }
}
