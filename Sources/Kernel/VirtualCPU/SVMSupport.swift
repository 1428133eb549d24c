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
  /// All registers exit but those that VMLOAD and VMSAVE switch, and TSC_AUX, which `ExtendedState` does.
  let registers: PhysicalAddress

  init(_ memory: inout BootMemory) throws(BootError) {
    ports = try memory.bytes(3 * 4096)
    registers = try memory.bytes(2 * 4096)
    // SAFETY: three and two pages, dealt out above.
    unsafe DirectMap.pointer(ports).initializeMemory(as: UInt8.self, repeating: 0xff, count: 3 * 4096)
    unsafe DirectMap.pointer(registers).initializeMemory(as: UInt8.self, repeating: 0xff, count: 2 * 4096)
    for number in UInt32(0x174)...0x176 { pass(number) }
    for number in UInt32(0xC000_0081)...0xC000_0084 { pass(number) }
    for number in UInt32(0xC000_0100)...0xC000_0103 { pass(number) }
    // A command: nothing of it is to be switched.
    if GuestSpeculation(.ofThisProcessor).forgetsBranches { pass(MSR.prediction.number) }
  }

  /// Lets guests read and write a register: two bits each, from three bases (AMD APM volume 2, §15.11).
  private func pass(_ number: UInt32) {
    let (base, first): (Int, UInt32) = number >= 0xC000_0000 ? (0x800, 0xC000_0000) : (0, 0)
    let bit = Int(number - first) * 2
    // SAFETY: the registers named in `init` have their bits inside the first of the map's two pages.
    let pointer = unsafe DirectMap.pointer(registers) + base + bit / 8
    let byte = unsafe pointer.load(as: UInt8.self)
    unsafe pointer.storeBytes(of: byte & ~(3 << UInt8(bit % 8)), as: UInt8.self)
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
