// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Speculation
import Synchronization
import X86

/// A core: it owns the threads pinned to it, and runs them for ever.
struct Core: ~Copyable {
  let index: Int
  let apicID: UInt32
  /// The task-state segment, whose rsp0 is where a trap leaves the running thread's registers.
  let taskState: Cell<TaskState>
  /// What a system call finds through gs.
  let block: Cell<cx86_core_block>
  /// Where VMSAVE keeps the host's share of the state that VMLOAD gives to guests.
  let hostState: PhysicalAddress
  /// The threads of this core.
  let threads: ThreadList
  /// The thread whose address space is loaded.
  var loaded: Int?
  /// The thread that was chosen last, for which the end of its slice is the end of its turn; `nil` once it was stopped,
  /// or if none could run.
  var current: Int?
  /// The vCPU whose registers of `ExtendedState` are in this core.
  var extendedOwner: Int?
  /// Who has this core, and what the next is to be spared of.
  var occupancy = CoreOccupancy()
  var timer = CoreTimer()
  /// Bits of the threads that can run, by their places in `threads`.
  var ready: UInt32 = 0
  /// No thread of this core has anything due before this time; `UInt64.max` if none has.
  var nextDue = UInt64.max
  /// What is due may wait until this time, and no longer: sleeping guests give a little time.
  var nextLimit = UInt64.max
  /// Set by whoever notifies or asks something of a thread of this core, who may be on another core.
  let wasCalled = Atomic<Bool>(false)
  /// Whether the emulator may have lost an interrupt of this core (`LocalAPIC.restate`).
  var doubtsInterrupts = false
  /// Handed out to threads that go to the end of their queue, and down from it to those that go to the front.
  var lastTurn: UInt64 = 1 << 62
  var firstTurn: UInt64 = 1 << 62
  /// Ticks of a full time slice.
  var fullSlice: UInt64 = 0
  /// When what runs now was last charged for its time.
  var chargedAt: UInt64 = 0

  init(
    index: Int, apicID: UInt32, threads: ThreadList, taskState: Cell<TaskState>, block: Cell<cx86_core_block>,
    hostState: PhysicalAddress
  ) {
    self.threads = threads
    self.index = index
    self.apicID = apicID
    self.taskState = taskState
    self.block = block
    self.hostState = hostState
  }
}

/// The threads of a core, by their indices in `Kernel.threads`: filled at boot, and gone through at every turn of the
/// core's loop. So it is a table: to read an element of an `InlineArray` copies all of it (decision 13).
struct ThreadList {
  /// As many as `Core.ready` has bits.
  private static var capacity: Int { 32 }

  private let indices: Table<Int>
  private let used: Cell<Int>

  init(_ memory: inout BootMemory) throws(BootError) {
    indices = try memory.table(Self.capacity) { _ in 0 }
    used = try memory.table(1) { _ in 0 }.cell(0)
  }

  var count: Int { used.value }

  /// The index of a thread.
  subscript(_ place: Int) -> Int { indices[place] }

  /// Adds a thread, at boot.
  func append(_ index: Int) throws(BootError) {
    guard count < Self.capacity else { throw .refused("a core has more than 32 threads") }
    indices[count] = index
    used.value += 1
  }
}

/// The 64-bit task-state segment (AMD APM volume 2, §12.2.5): only its stacks are used. Words are 4-byte aligned there.
struct TaskState: BitwiseCopyable {
  private var reserved0: UInt32 = 0
  private var rsp0Low: UInt32 = 0
  private var rsp0High: UInt32 = 0
  private var rsp1And2 = (UInt32(0), UInt32(0), UInt32(0), UInt32(0))
  private var reserved1 = (UInt32(0), UInt32(0))
  private var interruptStacks = InlineArray<14, UInt32>(repeating: 0)
  private var reserved2 = (UInt32(0), UInt32(0))
  private var ioMapBase: UInt32 = 104 << 16

  /// Where a trap in ring 3 puts the thread's registers: the end of its frame.
  mutating func setTrapStack(_ address: UInt64) {
    rsp0Low = UInt32(truncatingIfNeeded: address)
    rsp0High = UInt32(truncatingIfNeeded: address >> 32)
  }

  /// The stack of gates that name `number` (1 to 7).
  mutating func setInterruptStack(_ number: Int, _ address: UInt64) {
    interruptStacks[2 * number - 2] = UInt32(truncatingIfNeeded: address)
    interruptStacks[2 * number - 1] = UInt32(truncatingIfNeeded: address >> 32)
  }
}
