// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import X86
import _Volatile

/// This core's interrupt controller (AMD APM volume 2, chapter 16): every core finds its own at the same address.
struct LocalAPIC {
  private let base: PhysicalAddress

  /// - Precondition: `base` is where the registers are, below 4 GiB.
  init(base: PhysicalAddress) { self.base = base }

  subscript(_ register: Register) -> UInt32 {
    get { volatile(register).load() }
    nonmutating set { volatile(register).store(newValue) }
  }

  private func volatile(_ register: Register) -> VolatileMappedRegister<UInt32> {
    // SAFETY: the page at `base` holds the controller's registers, mapped uncached.
    unsafe VolatileMappedRegister(
      unsafeBitPattern: UInt(bitPattern: DirectMap.device(base + UInt64(register.rawValue))))
  }

  // swift-format-ignore
  enum Register: UInt32 {
    case identifier = 0x020         // APIC ID, in bits 24-31
    case taskPriority = 0x080       // TPR
    case endOfInterrupt = 0x0B0     // EOI
    case spurious = 0x0F0           // SVR: bit 8 enables
    case commandLow = 0x300         // ICR
    case commandHigh = 0x310
    case timerEntry = 0x320         // LVT: bit 16 masks, bit 18 TSC deadline
    case line0Entry = 0x350
    case line1Entry = 0x360
    case errorEntry = 0x370
    case timerInitial = 0x380
    case timerCurrent = 0x390
    case timerDivide = 0x3E0
  }

  /// Turns this core's controller on, with everything but the timer masked.
  ///
  /// First on, then the entries: while it is off, as it is after INIT, their mask bits cannot be cleared (Intel SDM
  /// volume 3, §11.4.7.2).
  func enable(usesDeadline: Bool) {
    MSR.apicBase.value |= 1 << 11
    self[.spurious] = 1 << 8 | UInt32(Vectors.spurious)
    self[.taskPriority] = 0
    self[.line0Entry] = 1 << 16
    self[.line1Entry] = 4 << 8
    self[.errorEntry] = 1 << 16
    self[.timerDivide] = 0b1011
    self[.timerEntry] = UInt32(Vectors.timer) | (usesDeadline ? 1 << 18 : 0)
  }

  /// In the timer's entry: it counts again and again.
  static var periodic: UInt32 { 1 << 17 }

  func end() { self[.endOfInterrupt] = 0 }

  /// Has the controller tell the core once more of what is pending, before the core sleeps on it: QEMU 7.2's VMRUN sets
  /// a word that other threads change too, and can so lose an interrupt.
  func restate() { self[.taskPriority] = 0 }

  /// This core's controller, for one who was told nothing.
  static var own: LocalAPIC { LocalAPIC(base: PhysicalAddress(MSR.apicBase.value & 0xf_ffff_f000)) }

  /// Tells all other cores to halt. Not by NMI: that would start a core that waits for its start-up message in QEMU.
  func stopOthers() { self[.commandLow] = 0xC_4000 | UInt32(Vectors.stop) }

  /// Sends `command` (bits 0-31 of ICR) to the core with `identifier`, once the last one has gone.
  func send(_ command: UInt32, to identifier: UInt32) {
    var patience = 1_000_000
    while patience > 0, self[.commandLow] & 1 << 12 != 0 {
      cx86_pause()
      patience -= 1
    }
    self[.commandHigh] = identifier << 24
    self[.commandLow] = command
  }
}
