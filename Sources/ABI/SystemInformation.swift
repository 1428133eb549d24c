// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The page of the kernel that every component can read: the machine's clock.
package struct SystemInformation: BitwiseCopyable {
  /// Ticks of the time-stamp counter in a second.
  package var tscFrequency: UInt64 = 0
  /// The time-stamp counter when the kernel read the machine's real-time clock.
  package var tscAtWallClock: UInt64 = 0
  /// The time of the real-time clock then, in seconds since 1970-01-01 00:00:00.
  package var wallClock: UInt64 = 0
  /// Ticks to nanoseconds.
  package var scale = TimeScale(frequency: 1_000_000_000)
  /// What the machine's processor lets a guest have in XCR0.
  package var supportedXCR0: UInt64 = 1
  /// Cores that run.
  package var coreCount: UInt32 = 0
  /// 1 for AMD SVM, 2 for Intel VMX.
  package var vendor: UInt32 = 0
  /// Bytes of memory that kernel and components use, the boot image included.
  package var memoryOutsideGuests: UInt64 = 0
  /// The machine's address of a guest's memory, by VM, if it is direct-mapped (`LowMemory`); else 0.
  package var guestBases: InlineArray<16, UInt64> = InlineArray(repeating: 0)
  /// Not zero: processors can do the work of a guest's local APIC (`VirtualCPUState.controller`).
  package var sharesControllers: UInt32 = 0
  /// Not zero: and interrupts of other cores reach a guest that runs with no exit (`VirtualCPUState.posted`).
  package var postsInterrupts: UInt32 = 0
  /// What guests read from IA32_ARCH_CAPABILITIES; 0: they have no such register.
  package var architecturalCapabilities: UInt64 = 0
  /// Not zero: guests may write PRED_CMD, and FLUSH_CMD.
  package var passesPredictionCommand: UInt32 = 0
  package var passesFlushCommand: UInt32 = 0
  /// The bits of SPEC_CTRL that guests may set; 0: they have no such register.
  package var speculationControl: UInt64 = 0

  package init() {}

  /// Values of `vendor`.
  package static var svm: UInt32 { 1 }
  package static var vmx: UInt32 { 2 }

  /// Whether system calls go by the gate, since SYSCALL is off.
  package var callsByGate: Bool { vendor == Self.vmx }
}

/// Turns ticks of a counter into nanoseconds and back, as KVM's paravirtual clock does: (ticks << shift) * multiplier >> 32.
package struct TimeScale: BitwiseCopyable, Equatable, Sendable {
  /// A fraction of 2³².
  package var multiplier: UInt32
  /// Bits to the left; negative is to the right.
  package var shift: Int8
  private var padding: (UInt8, UInt8, UInt8) = (0, 0, 0)
  /// Ticks in a second.
  package var frequency: UInt64

  /// - Precondition: `frequency` is between 1 and 2³³.
  package init(frequency: UInt64) {
    // multiplier · 2^shift = 10⁹ · 2³² / frequency, the multiplier with as many bits as fit.
    var quotient = (UInt64(1_000_000_000) << 34) / frequency
    var shift: Int8 = -2
    while quotient >> 32 != 0 {
      quotient >>= 1
      shift += 1
    }
    multiplier = UInt32(truncatingIfNeeded: quotient)
    self.shift = shift
    self.frequency = frequency
  }

  package func nanoseconds(ofTicks ticks: UInt64) -> UInt64 {
    let shifted = shift >= 0 ? ticks << UInt64(shift) : ticks >> UInt64(-Int(shift))
    let product = shifted.multipliedFullWidth(by: UInt64(multiplier))
    return product.high << 32 | product.low >> 32
  }

  /// The first tick at which `nanoseconds(ofTicks:)` says at least `nanoseconds`, or one of the next two.
  ///
  /// Exact in the other function's own rounding: a timer set to this tick never fires early, however far ahead it is.
  package func ticks(ofNanoseconds nanoseconds: UInt64) -> UInt64 {
    let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    let ticks = seconds &* frequency &+ (rest &* frequency) / 1_000_000_000 &+ 1
    let reached = self.nanoseconds(ofTicks: ticks)
    guard reached < nanoseconds else { return ticks }
    return ticks &+ (nanoseconds &- reached) &* frequency / 1_000_000_000 &+ 2
  }

  package static func == (left: Self, right: Self) -> Bool {
    left.multiplier == right.multiplier && left.shift == right.shift && left.frequency == right.frequency
  }
}
