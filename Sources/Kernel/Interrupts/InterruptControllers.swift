// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import Firmware
import IOMMU
import Processors
import Synchronization

/// The machine's interrupt controllers.
struct InterruptControllers {
  let local: LocalAPIC
  let external: Table<IOAPIC>
  /// Held while a redirection entry changes: index and data are two accesses.
  let lock: Table<Spinlock>
  /// Pins whose interrupts are non-maskable, and no device's.
  private(set) var sources = FixedList<16, NMIPin>()

  /// Those that the firmware names, all pins of I/O APICs masked.
  init(_ machine: MachineDescription, _ local: LocalAPIC, _ memory: inout BootMemory) throws(BootError) {
    self.local = local
    external = try memory.table(machine.topology.ioapicCount) { index in
      let controller = machine.topology.ioapic(index)
      return IOAPIC(base: controller.address, firstGSI: controller.gsiBase)
    }
    lock = try memory.table(1) { _ in Spinlock() }
    for index in 0..<machine.topology.nmiSourceCount {
      let route = machine.topology.nmiSource(index)
      guard let place = pin(ofGSI: route.gsi, machine.topology) else { continue }
      let pin = NMIPin(controller: place.controller, pin: place.pin, isActiveLow: route.isActiveLow)
      try sources.append(pin, orSay: "the machine has too many sources of NMIs")
    }
  }

  /// Whether a pin's interrupts are non-maskable.
  func isNonMaskable(_ controller: Int, _ pin: UInt32) -> Bool {
    for index in 0..<sources.count where sources[index].controller == controller && sources[index].pin == pin {
      return true
    }
    return false
  }

  /// Has the machine's sources of NMIs interrupt a core.
  func openSources(_ machine: MachineDescription, _ remapping: Table<Remapping>, to apicID: UInt32) throws(BootError) {
    for index in 0..<sources.count {
      let source = sources[index]
      external[source.controller][source.pin] = try remapping.redirection(
        from: machine.topology.ioapic(source.controller).id, to: .nonMaskable(apicID: apicID),
        isActiveLow: source.isActiveLow)
    }
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

/// A pin of an I/O APIC that something calls for help with.
struct NMIPin {
  let controller: Int
  let pin: UInt32
  let isActiveLow: Bool
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
