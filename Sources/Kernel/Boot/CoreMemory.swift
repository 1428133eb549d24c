// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import Firmware
import X86

/// The memory of one core: tables, stacks, and what SVM or VMX want.
struct CoreMemory {
  let index: Int
  /// The GDT, read-only once boot is over.
  let descriptors: Cell<[8 of UInt64]>
  /// One page: the task-state segment at 128, the system-call block at 256.
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
    _ index: Int, _ memory: inout BootMemory, space: AddressSpace, descriptors: CoreDescriptors,
    stackSize: UInt64 = KernelSpace.stackSize
  ) throws(BootError) {
    self.stackSize = stackSize
    self.descriptors = try descriptors.table(ofCore: index)
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

  var taskState: Cell<TaskState> { BootMemory.place(at: tables + 128) }
  var block: Cell<cx86_core_block> { BootMemory.place(at: tables + 256) }
}

/// The descriptor tables of all cores, one after the other, with nothing behind them: an exit of VMX gives a core's table
/// the length 64 KiB (Intel SDM volume 3, §28.5.2), and what lies there must be no descriptor for ring 3 to load.
struct CoreDescriptors {
  private static var capacity: Int { 128 }
  private static var tableSize: UInt64 { 64 }
  private let start: PhysicalAddress

  init(_ memory: inout BootMemory) throws(BootError) {
    start = try memory.bytes(UInt64(Self.capacity) * Self.tableSize + 64 * .KiB, for: .tables)
  }

  fileprivate func table(ofCore index: Int) throws(BootError) -> Cell<[8 of UInt64]> {
    guard index < Self.capacity else { throw .refused("there are too many processors") }
    return BootMemory.place(at: start + UInt64(index) * Self.tableSize)
  }
}
