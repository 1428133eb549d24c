// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import X86

/// The memory of one core: tables, stacks, and what SVM or VMX want.
struct CoreMemory {
  /// One page: the GDT at 0, the task-state segment at 128, the system-call block at 256.
  let tables: PhysicalAddress
  /// Three stacks of a page each, for NMI, double fault and machine check.
  let interruptStacks: PhysicalAddress
  /// The stack, `KernelSpace.stackSize` bytes.
  let stack: PhysicalAddress
  /// The VMCB that keeps the host's state for VMLOAD, and the page where VMRUN keeps its own; of VMX, `VMXHost` and the
  /// region of VMXON.
  let hostState: PhysicalAddress
  let savePage: PhysicalAddress

  /// Memory for core `index`, below 4 GiB: the core starts on page tables that reach no further.
  init(_ index: Int, _ memory: inout BootMemory, space: AddressSpace) throws(BootError) {
    tables = try memory.page()
    interruptStacks = try memory.bytes(3 * 4096)
    stack = try memory.bytes(KernelSpace.stackSize)
    hostState = try memory.page()
    savePage = try memory.page()
    try space.map(
      Self.stackTop(index) - KernelSpace.stackSize, to: stack, size: KernelSpace.stackSize, .writable | .noExecute,
      from: &memory)
  }

  /// The first byte above the stack of core `index`.
  static func stackTop(_ index: Int) -> UInt64 {
    KernelSpace.stacks + UInt64(index + 1) * KernelSpace.stackStride
  }

  var descriptors: Cell<[8 of UInt64]> { BootMemory.place(at: tables) }
  var taskState: Cell<TaskState> { BootMemory.place(at: tables + 128) }
  var block: Cell<cx86_core_block> { BootMemory.place(at: tables + 256) }
}
