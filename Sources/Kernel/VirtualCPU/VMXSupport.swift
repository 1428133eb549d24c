// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Speculation
import Virtualisation
import X86

/// What VMX wants to know of a core: kept in the page that SVM uses for the host's state.
struct VMXHost: BitwiseCopyable {
  /// The VMCS that the core works on; 0 for none.
  var current: UInt64 = 0
  var taskBase: UInt64 = 0
  var descriptorsBase: UInt64 = 0
  var gatesBase: UInt64 = 0
  /// Where an exit arrives: one of vmx.S's two.
  var exit: UInt64 = 0

  /// Where in the page the SPEC_CTRL is that an exit gives back to the host.
  static var control: UInt64 { 2048 }
}

/// The bit maps of ports and registers that exit: one pair for all guests.
struct VMXPermissions {
  /// Two pages of ports; all exit.
  let ports: PhysicalAddress
  /// A page of registers. All exit but those that `GuestRegister` names.
  private let registers: PhysicalAddress
  /// Another, for guests whose local APIC the processor shares: in this the EOI register can be written, too.
  private let sharedRegisters: PhysicalAddress
  /// Both once more, for guests that have SPEC_CTRL for their own.
  private let ownRegisters: PhysicalAddress
  private let ownSharedRegisters: PhysicalAddress

  init(_ guests: GuestSpeculation, _ memory: inout BootMemory) throws(BootError) {
    ports = try memory.bytes(2 * 4096)
    // SAFETY: two pages, dealt out above.
    unsafe DirectMap.pointer(ports).initializeMemory(as: UInt8.self, repeating: 0xff, count: 2 * 4096)
    registers = try Self.map(guests, &memory)
    sharedRegisters = try Self.map(guests, isShared: true, &memory)
    let hasControl = !guests.control.isEmpty
    ownRegisters = hasControl ? try Self.map(guests, ownsControl: true, &memory) : registers
    ownSharedRegisters =
      hasControl ? try Self.map(guests, isShared: true, ownsControl: true, &memory) : sharedRegisters
  }

  /// The map for a guest.
  func map(isShared: Bool, ownsControl: Bool) -> PhysicalAddress {
    if ownsControl { return isShared ? ownSharedRegisters : ownRegisters }
    return isShared ? sharedRegisters : registers
  }

  private static func map(
    _ guests: GuestSpeculation, isShared: Bool = false, ownsControl: Bool = false, _ memory: inout BootMemory
  ) throws(BootError) -> PhysicalAddress {
    let page = try memory.page()
    fill(page, guests)
    if isShared { pass(.vmx(0x80B, isWrite: true), in: page) }
    if ownsControl {
      pass(.vmx(MSR.speculation.number, isWrite: false), in: page)
      pass(.vmx(MSR.speculation.number, isWrite: true), in: page)
    }
    return page
  }

  private static func fill(_ page: PhysicalAddress, _ guests: GuestSpeculation) {
    // SAFETY: a page, dealt out for this.
    unsafe DirectMap.pointer(page).initializeMemory(as: UInt8.self, repeating: 0xff, count: 4096)
    let all = GuestRegister.all
    for index in 0..<all.count where all[index].vmx.isAlways {
      pass(.vmx(all[index].number, isWrite: false), in: page)
      pass(.vmx(all[index].number, isWrite: true), in: page)
    }
    if guests.forgetsBranches { pass(.vmx(MSR.prediction.number, isWrite: true), in: page) }
    if guests.flushesL1 { pass(.vmx(MSR.cacheFlush.number, isWrite: true), in: page) }
  }

  /// Lets guests read or write a register.
  private static func pass(_ bits: PermissionBits, in page: PhysicalAddress) {
    // SAFETY: the offset lies inside the page, whatever the register's number.
    let pointer = unsafe DirectMap.pointer(page) + bits.offset
    let byte = unsafe pointer.load(as: UInt8.self)
    unsafe pointer.storeBytes(of: byte & ~bits.mask, as: UInt8.self)
  }
}

/// A register that VM entry loads, and an exit stores or loads, because the VMCS does not hold it: the one entry of a list
/// (Intel SDM volume 3, table 25-15), its number and its value.
typealias VMXListEntry = (number: UInt64, value: UInt64)

/// Turning VMX on.
enum VMXSupport {
  /// The controls that guests run with here.
  /// - Throws: Why this processor cannot run guests.
  static func controls() throws(BootError) -> VMXControls {
    guard VMXPermission(MSR.featureControl.value) != .forbidden else {
      throw .refused("the firmware has locked VMX off; switch Intel Virtualization Technology on in its set-up")
    }
    do throws(VMXObstacle) {
      let controls = try VMXControls(VMXCapabilities(signature: cx86_cpuid(1, 0).eax) { MSR($0).value })
      log(.information, controls.line)
      if let line = controls.postingLine { log(.information, line) }
      return controls
    } catch {
      throw .line("cannot start: \(error.line)")
    }
  }

  /// Writes the capability registers to the log, for a test with a processor that nobody here has seen.
  static func logCapabilities() {
    for number in UInt32(0x480)...0x490 { log(.information, "MSR \(hex: number): \(hex: MSR(number).value)") }
  }

  /// Turns VMX on for this core, whose tables and registers are the kernel's by now.
  static func enable(_ memory: CoreMemory, gates: PhysicalAddress, revision: UInt32, _ plan: SpeculationPlan) {
    switch VMXPermission(MSR.featureControl.value) {
    case .allowed: break
    case .open(let value): MSR.featureControl.value = value
    case .forbidden: refuse(.refused("the firmware has locked VMX off for one of the cores only"))
    }
    cx86_write_cr4(cx86_read_cr4() | CR4.vmx.rawValue)
    BootMemory.place(at: memory.savePage).value = revision
    guard cx86_vmxon(memory.savePage.value) == 0 else { refuse(.refused("VMXON failed")) }
    let host: Cell<VMXHost> = BootMemory.place(at: memory.hostState)
    host.value = VMXHost(
      taskBase: memory.taskState.address, descriptorsBase: memory.descriptors.address,
      gatesBase: DirectMap.base + gates.value,
      exit: plan.measures.contains(.fillsReturns) ? cx86_vmx_exit_filled_address() : cx86_vmx_exit_address())
    // It is not on all processors, and is written later.
    let control: Cell<VMXListEntry> = BootMemory.place(at: memory.hostState + VMXHost.control)
    control.value = (UInt64(MSR.speculation.number), plan.control.rawValue)
    // SYSCALL is off outside guests, which keep its registers: components call by a gate.
    MSR.efer.value &= ~EFER.systemCall.rawValue
  }
}
