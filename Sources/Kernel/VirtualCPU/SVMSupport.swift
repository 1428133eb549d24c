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
  /// Another, for guests that have SPEC_CTRL for their own.
  let ownRegisters: PhysicalAddress

  init(
    _ guests: GuestSpeculation, _ capabilities: SVMCapabilities, _ memory: inout BootMemory
  ) throws(BootError) {
    ports = try memory.bytes(3 * 4096)
    // SAFETY: three pages, dealt out above.
    unsafe DirectMap.pointer(ports).initializeMemory(as: UInt8.self, repeating: 0xff, count: 3 * 4096)
    registers = try Self.map(guests, &memory)
    if guests.control.isEmpty || capabilities.switchesControl {
      ownRegisters = registers
    } else {
      ownRegisters = try Self.map(guests, &memory)
    }
    if !guests.control.isEmpty { Self.pass(.svm(MSR.speculation.number), in: ownRegisters) }
  }

  /// A map with what all guests have.
  private static func map(_ guests: GuestSpeculation, _ memory: inout BootMemory) throws(BootError) -> PhysicalAddress {
    let registers = try memory.bytes(2 * 4096)
    // SAFETY: two pages, dealt out above.
    unsafe DirectMap.pointer(registers).initializeMemory(as: UInt8.self, repeating: 0xff, count: 2 * 4096)
    let all = GuestRegister.all
    for index in 0..<all.count where all[index].svm.isAlways { pass(.svm(all[index].number), in: registers) }
    if guests.forgetsBranches { pass(.svm(MSR.prediction.number), in: registers) }
    return registers
  }

  /// Lets guests read and write a register.
  private static func pass(_ bits: PermissionBits, in registers: PhysicalAddress) {
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
