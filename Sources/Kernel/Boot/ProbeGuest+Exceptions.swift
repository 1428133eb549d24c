// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Virtualisation

/// Exceptions for which a guest leaves, and which then reach it as if it had not.
extension ProbeGuest {
  /// 16-bit code that sets TF: pushf; pop ax; or ah, 1; push ax; popf; then an instruction, and a jump to itself.
  private static var stepping: UInt64 { 0x160 }
  private static var setTrapFlag: (UInt32, UInt32) { (0xcc80_589c, 0x009d_5001) }
  private static var instruction: UInt64 { stepping + 7 }
  /// 32-bit code of ring 3: mov %eax, 0x701.
  private static var misaligned: UInt64 { 0x180 }
  private static var descriptors: UInt64 { 0x400 }
  private static var gates: UInt64 { 0x500 }
  private static var task: UInt64 { 0x600 }
  private static var taskStack: UInt32 { 0x780 }

  /// - Throws: The first that does not arrive.
  func meetsExceptions(_ support: GuestSupport) throws(BootError) {
    state.value.injection = Injection()
    Self.place(UInt32(Self.handler), at: UInt64(ExceptionPolicy.debug) * 4, in: page)
    guard steps(over: 0x90) else { throw .refused("a single step does not reach a guest on this machine") }
    // QEMU's TCG takes INT1 for a breakpoint of its debugger's, and knows no #AC.
    guard case .vmx = support else { return }
    guard steps(over: 0xfb) else { throw .refused("a step behind STI does not reach a guest on this machine") }
    guard raisesDebug() else { throw .refused("INT1 does not reach a guest on this machine") }
    guard meetsMisalignment() else { throw .refused("an alignment check does not reach a guest on this machine") }
    state.value = VirtualCPUState()
  }

  /// Whether it leaves after an instruction of one byte with TF set, and its handler finds BS and where to go on.
  private func steps(over opcode: UInt32) -> Bool {
    Self.place(Self.setTrapFlag.0, at: Self.stepping, in: page)
    Self.place(Self.setTrapFlag.1 | opcode << 24, at: Self.stepping + 4, in: page)
    Self.place(0xfeeb, at: Self.stepping + 8, in: page)
    state.value.dr6 = 0xffff_0ff0
    start(at: Self.stepping)
    return leavesAndHalts() && state.value.dr6 == 0xffff_4ff0 && returnAddress == UInt32(Self.instruction) + 1
  }

  /// Whether the handler of INT1 goes on behind it.
  private func raisesDebug() -> Bool {
    Self.place(0xfeeb_f1, at: Self.stepping, in: page)
    state.value.dr6 = 0xffff_0ff0
    start(at: Self.stepping)
    return leavesAndHalts() && state.value.dr6 == 0xffff_0ff0 && returnAddress == UInt32(Self.stepping) + 1
  }

  /// Whether ring 3 leaves for a misaligned store, and ring 0 finds an error code of 0 and where that was.
  private func meetsMisalignment() -> Bool {
    Self.place(0x0007_01a3, at: Self.misaligned, in: page)
    Self.place(0x00eb_0000, at: Self.misaligned + 4, in: page)
    Self.place(0xffff, at: Self.descriptors + 8, in: page)
    Self.place(0x00cf_9b00, at: Self.descriptors + 12, in: page)
    Self.place(0xffff, at: Self.descriptors + 16, in: page)
    Self.place(0x00cf_9300, at: Self.descriptors + 20, in: page)
    let gate = Self.gates + UInt64(ExceptionPolicy.alignment) * 8
    Self.place(8 << 16 | UInt32(Self.handler), at: gate, in: page)
    Self.place(0x8e00, at: gate + 4, in: page)
    Self.place(Self.taskStack, at: Self.task + 4, in: page)
    Self.place(16, at: Self.task + 8, in: page)
    Self.place(.max, at: UInt64(Self.taskStack) - 24, in: page)
    startUser(at: Self.misaligned)
    return leavesAndHalts() && word(at: UInt64(Self.taskStack) - 24) == 0
      && word(at: UInt64(Self.taskStack) - 20) == UInt32(Self.misaligned)
  }

  /// Ring 3 of protected mode without paging, with alignment checks on.
  private func startUser(at address: UInt64) {
    let data = Segment(selector: 0x23, attributes: 0xcf3, limit: .max)
    state.value.rip = address
    state.value.registers.words[4] = 0x800
    state.value.cr0 = 1 << 18 | 0x11
    state.value.rflags = 1 << 18 | 2
    state.value.interruptShadow = 0
    state.value.segments.cs = Segment(selector: 0x1b, attributes: 0xcfb, limit: .max)
    state.value.segments.ss = data
    state.value.segments.ds = data
    state.value.segments.es = data
    state.value.segments.tr = Segment(selector: 0x28, attributes: 0x8b, limit: 103, base: Self.task)
    state.value.segments.gdtr = Segment(limit: 23, base: Self.descriptors)
    state.value.segments.idtr = Segment(limit: 0x8f, base: Self.gates)
    state.value.segmentsChanged = 1
    processor.load(&state.value)
  }

  /// Whether it leaves for something that is not its VMM's, and then for the HLT of its handler.
  private func leavesAndHalts() -> Bool {
    guard run(for: Self.patience) == nil, run(for: Self.patience) == .halt else { return false }
    processor.store(.halt, in: &state.value)
    return state.value.rip == Self.handler
  }

  /// Where the handler of 16-bit code goes back to.
  private var returnAddress: UInt32 { word(at: 0x7fa) & 0xffff }

  private func word(at offset: UInt64) -> UInt32 {
    // SAFETY: the page was dealt out for this; all offsets above are inside it.
    unsafe DirectMap.pointer(page + offset).loadUnaligned(as: UInt32.self)
  }
}
