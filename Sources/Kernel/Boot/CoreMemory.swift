// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import X86

/// The memory of one core: tables, stacks, and what SVM or VMX want.
struct CoreMemory {
  let index: Int
  /// One page: the GDT at 0, the task-state segment at 128, the system-call block at 256.
  let tables: PhysicalAddress
  /// The stack; of a core that runs, `KernelSpace.stackSize` bytes.
  let stack: PhysicalAddress
  let stackSize: UInt64
  /// The VMCB that keeps the host's state for VMLOAD, and the page where VMRUN keeps its own; of VMX, `VMXHost` and the
  /// region of VMXON.
  let hostState: PhysicalAddress
  let savePage: PhysicalAddress

  /// Memory for core `index`, below 4 GiB: the core starts on page tables that reach no further.
  init(
    _ index: Int, _ memory: inout BootMemory, space: AddressSpace, stackSize: UInt64 = KernelSpace.stackSize
  ) throws(BootError) {
    self.stackSize = stackSize
    self.index = index
    tables = try memory.page()
    stack = try memory.bytes(stackSize)
    hostState = try memory.page()
    savePage = try memory.page()
    try space.map(
      Self.stackTop(index) - stackSize, to: stack, size: stackSize, .writable | .noExecute, from: &memory)
    for number in 0..<TrapStack.count {
      guard let trap = TrapStack(index: number) else { continue }
      try space.map(
        trap.top(ofCore: index) - TrapStack.size, to: try memory.bytes(TrapStack.size), size: TrapStack.size,
        .writable | .noExecute, from: &memory)
    }
  }

  /// The first byte above the stack of core `index`.
  static func stackTop(_ index: Int) -> UInt64 {
    KernelSpace.stacks + UInt64(index + 1) * KernelSpace.stackStride
  }

  var descriptors: Cell<[8 of UInt64]> { BootMemory.place(at: tables) }
  var taskState: Cell<TaskState> { BootMemory.place(at: tables + 128) }
  var block: Cell<cx86_core_block> { BootMemory.place(at: tables + 256) }
}
