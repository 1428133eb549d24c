// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Speculation
import Virtualisation
import X86

/// The bit maps of ports and registers that exit: one pair for all guests.
struct SVMPermissions {
  /// All ports exit.
  let ports: PhysicalAddress
  /// All registers exit but those that `GuestRegister` names.
  let registers: PhysicalAddress

  init(_ memory: inout BootMemory) throws(BootError) {
    ports = try memory.bytes(3 * 4096)
    registers = try memory.bytes(2 * 4096)
    // SAFETY: three and two pages, dealt out above.
    unsafe DirectMap.pointer(ports).initializeMemory(as: UInt8.self, repeating: 0xff, count: 3 * 4096)
    unsafe DirectMap.pointer(registers).initializeMemory(as: UInt8.self, repeating: 0xff, count: 2 * 4096)
    let all = GuestRegister.all
    for index in 0..<all.count { pass(.svm(all[index].number)) }
    // A command: nothing of it is to be switched.
    if GuestSpeculation(.ofThisProcessor).forgetsBranches { pass(.svm(MSR.prediction.number)) }
  }

  /// Lets guests read and write a register.
  private func pass(_ bits: PermissionBits) {
    // SAFETY: the offset lies inside the map's two pages, whatever the register's number.
    let pointer = unsafe DirectMap.pointer(registers) + bits.offset
    let byte = unsafe pointer.load(as: UInt8.self)
    unsafe pointer.storeBytes(of: byte & ~bits.mask, as: UInt8.self)
  }
}

/// Turning SVM on.
enum SVMSupport {
  /// - Throws: Why this processor cannot run guests.
  static func capabilities(_ features: ProcessorFeatures) throws(BootError) -> SVMCapabilities {
    guard MSR.vmControl.value.bits(4, count: 1) == 0 else {
      throw .refused("the firmware has switched SVM off; look for virtualization in its set-up")
    }
    let capabilities = SVMCapabilities(features: features.svmFeatures, identifiers: features.svmIdentifiers)
    if let obstacle = capabilities.obstacle { throw .refused(obstacle) }
    log(.information, capabilities.line)
    return capabilities
  }

  /// Turns SVM on for this core, whose tables and registers are the kernel's by now.
  static func enable(_ memory: CoreMemory) {
    MSR.efer.value |= EFER.svm.rawValue
    MSR.hostSavePage.value = memory.savePage.value
    cx86_vmsave(memory.hostState.value)
  }
}
