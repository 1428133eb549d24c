// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import X86

/// `probe` on the command line: does a guest really run here? The answer goes to the emulator's exit port.
enum Probe {
  /// The value that says yes.
  private static var yes: UInt32 { 0x10 }

  /// Runs a guest of one instruction.
  static func run(
    _ features: ProcessorFeatures, _ support: GuestSupport, _ space: AddressSpace, _ memory: inout BootMemory
  ) throws(BootError) -> Never {
    let core = try CoreMemory(0, &memory, space: space)
    let gates = try memory.page()
    CoreSetup.fillGates(gates)
    CoreSetup.enter(core, gates: gates, features: features, support: support, space: space)
    let page = try memory.page()
    // SAFETY: the page was dealt out above; HLT is one byte.
    unsafe DirectMap.pointer(page).storeBytes(of: 0xf4, as: UInt8.self)
    let maker = try GuestMaker(support, features, &memory)
    let guest = try AddressSpace(&memory, form: maker.form)
    try guest.map(0, to: page, size: 4096, .writable | .user, from: &memory)
    let processor = try maker.make(guest, identifier: 1, host: core.hostState, overlay: nil, from: &memory)
    let state = BootMemory.cell(VirtualCPUState(), at: try memory.page())
    state.value.cr0 = 0x10
    state.value.segments.cs.attributes = 0x9b
    state.value.segments.ss.attributes = 0x93
    state.value.segments.tr.attributes = 0x8b
    state.value.segmentsChanged = 1
    processor.reset()
    processor.load(&state.value)
    processor.run(state, HostReturn(state: core.hostState, space: PhysicalAddress(cx86_read_cr3())))
    guard processor.exitReason() == .halt else { throw .refused("a guest does not run on this machine") }
    if case .vmx = support { VMXSupport.logCapabilities() }
    log(.information, "guests run here")
    cx86_out32(0xf4, yes)
    cx86_halt_forever()
  }
}
