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
  static func run(_ features: ProcessorFeatures, _ memory: inout BootMemory) throws(BootError) -> Never {
    SVMSupport.enable(savePage: try memory.page())
    let page = try memory.page()
    // SAFETY: the page was dealt out above; HLT is one byte.
    unsafe DirectMap.pointer(page).storeBytes(of: 0xf4, as: UInt8.self)
    let guest = try AddressSpace(&memory)
    try guest.map(0, to: page, size: 4096, .writable | .user, from: &memory)
    let processor = SVMProcessor(
      vmcb: VMCB.new(at: try memory.page()), memory: guest, asid: 1, permissions: try SVMPermissions(&memory),
      features: features, overlay: nil)
    let state = BootMemory.cell(VirtualCPUState(), at: try memory.page())
    let host = try memory.page()
    state.value.cr0 = 0x10
    state.value.segments.cs.attributes = 0x9b
    state.value.segments.ss.attributes = 0x93
    state.value.segments.tr.attributes = 0x8b
    state.value.segmentsChanged = 1
    processor.load(&state.value)
    cx86_vmsave(host.value)
    processor.run(state, hostState: host)
    guard processor.exitReason() == .halt else { throw .refused("a guest does not run on this machine") }
    log(.information, "guests run here")
    cx86_out32(0xf4, yes)
    cx86_halt_forever()
  }
}

extension VMCB {
  /// An empty VMCB in the zeroed page at `address`.
  static func new(at address: PhysicalAddress) -> VMCB {
    // SAFETY: the direct map holds the page for good.
    unsafe VMCB(address: address, unsafeBase: DirectMap.pointer(address))
  }
}
