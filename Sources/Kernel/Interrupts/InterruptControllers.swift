// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import Firmware
import Processors
import Synchronization

/// The machine's interrupt controllers.
struct InterruptControllers {
  let local: LocalAPIC
  let external: Table<IOAPIC>
  /// Held while a redirection entry changes: index and data are two accesses.
  let lock: Table<Spinlock>

  /// Those that the firmware names, all pins of I/O APICs masked.
  init(_ machine: MachineDescription, _ local: LocalAPIC, _ memory: inout BootMemory) throws(BootError) {
    self.local = local
    external = try memory.table(machine.topology.ioapicCount) { index in
      let controller = machine.topology.ioapic(index)
      return IOAPIC(base: controller.address, firstGSI: controller.gsiBase)
    }
    lock = try memory.table(1) { _ in Spinlock() }
  }

  /// Masks both 8259s for good: an interrupt of theirs would look like an exception.
  static func silenceOldControllers() {
    cx86_out8(0x21, 0xff)
    cx86_out8(0xa1, 0xff)
  }

  /// Makes another core look at its threads.
  func wake(_ apicID: UInt32) { local.send(UInt32(Vectors.wake), to: apicID) }

  /// Tells another core's processor that there are interrupts for the guest that it runs.
  func announcePosted(_ apicID: UInt32) { local.send(UInt32(Vectors.posted), to: apicID) }

  /// Whether a level-triggered pin's interrupt is in service (82093AA, §3.2.4: remote IRR).
  func isInService(_ controller: Int, _ pin: UInt32) -> Bool { external[controller][pin] & 1 << 14 != 0 }

  /// Where a global system interrupt arrives; `nil` if no controller has it.
  func pin(ofGSI gsi: UInt32, _ topology: Topology) -> (controller: Int, pin: UInt32)? {
    guard let controller = topology.ioapic(for: gsi) else { return nil }
    let pin = gsi - external[controller].firstGSI
    return pin < external[controller].pinCount ? (controller, pin) : nil
  }

  func mask(_ line: InterruptLine) {
    lock[0].hold { external[line.controller][line.pin] = line.entry | IOAPIC.masked }
  }

  func unmask(_ line: InterruptLine) {
    lock[0].hold { external[line.controller][line.pin] = line.entry }
  }
}

/// A lock for a few instructions, between cores. Interrupts are off in the kernel, so its holder is never interrupted.
struct Spinlock: ~Copyable {
  private let word = Atomic<Bool>(false)

  borrowing func hold(_ body: () -> Void) {
    while word.exchange(true, ordering: .acquiring) { cx86_pause() }
    body()
    word.store(false, ordering: .releasing)
  }
}
