// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Speculation
import Virtualisation
import X86

/// SPEC_CTRL: a guest's is its own, and the kernel's is the kernel's.
extension ProbeGuest {
  /// In 16-bit code: mov $0x48, %ecx; mov value, %eax; xor %edx, %edx; wrmsr; rdmsr; hlt.
  private static var write: UInt64 { 0x200 }
  /// mov $0x48, %ecx; rdmsr; hlt.
  private static var read: UInt64 { 0x220 }

  /// Whether a guest reads what it wrote, is refused what there is not, and never changes what the kernel has.
  func keepsControl(_ speculation: ProcessorSpeculation) -> Bool {
    let allowed = UInt32(truncatingIfNeeded: speculation.guests.control.rawValue)
    let kernels = UInt32(truncatingIfNeeded: speculation.plan.control.rawValue)
    let (common, own) = (allowed & kernels, allowed & ~kernels)
    Self.place(0x0048_b966, at: Self.write, in: page)
    Self.place(0xb866_0000, at: Self.write + 4, in: page)
    Self.place(0x0fd2_3166, at: Self.write + 12, in: page)
    Self.place(0xf432_0f30, at: Self.write + 16, in: page)
    Self.place(0x0048_b966, at: Self.read, in: page)
    Self.place(0x320f_0000, at: Self.read + 4, in: page)
    Self.place(0xf4, at: Self.read + 8, in: page)
    guard value() == 0, value(writing: 1 << 31) == nil, value() == 0 else { return false }
    let values: [4 of UInt32] = [common, own, 0, allowed]
    for index in 0..<values.count {
      let wanted = values[index]
      guard value(writing: wanted) == wanted, value() == wanted, hasKept(kernels) else { return false }
    }
    processor.reset()
    return value() == 0 && hasKept(kernels)
  }

  private func hasKept(_ kernels: UInt32) -> Bool { MSR.speculation.value == UInt64(kernels) }

  /// What it reads after it wrote `wanted`; `nil` if that is #GP.
  private func value(writing wanted: UInt32) -> UInt32? {
    Self.place(wanted, at: Self.write + 8, in: page)
    return value(from: Self.write, to: Self.write + 19)
  }

  private func value() -> UInt32? { value(from: Self.read, to: Self.read + 8) }

  private func value(from start: UInt64, to end: UInt64) -> UInt32? {
    self.start(at: start)
    guard run(for: Self.patience) == .halt else { return nil }
    processor.store(.halt, in: &state.value)
    return state.value.rip == end ? UInt32(truncatingIfNeeded: state.value.registers.words[0]) : nil
  }
}
