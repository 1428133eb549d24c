// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Decoding
import Machine

/// The end of a VM that cannot go on: one place, one report.
extension VirtualMachine {
  /// Says why, in which state and after which exits, and ends this domain as its `on-crash` says.
  func stop(_ reason: StaticString, at bytes: InstructionBytes? = nil) -> Never {
    Kernel.log(.error, "stopped: \(reason)")
    let state = cpu.value
    let words = state.registers
    let exit = state.exit
    Kernel.log(
      .error, "  exit \(hex: exit.detail) qualification \(hex: exit.qualification) \(hex: exit.qualification2)")
    Kernel.log(.error, "  rip \(hex: state.rip) rsp \(hex: words.rsp) rflags \(hex: state.rflags)")
    Kernel.log(.error, "  rax \(hex: words.rax) rbx \(hex: words.rbx) rcx \(hex: words.rcx) rdx \(hex: words.rdx)")
    Kernel.log(.error, "  rsi \(hex: words.rsi) rdi \(hex: words.rdi) rbp \(hex: words.rbp)")
    Kernel.log(.error, "  cr0 \(hex: state.cr0) cr2 \(hex: state.cr2) cr3 \(hex: state.cr3) cr4 \(hex: state.cr4)")
    if let bytes {
      var line: LogLine = "  instruction"
      for index in 0..<bytes.count {
        line.append(byte: 0x20)
        line.append(magnitude: UInt64(bytes[index] ?? 0), radix: 16, width: 2)
      }
      line.append(": ")
      line.append(InstructionDecoder.name(bytes, as: code))
      Kernel.log(.error, line)
    }
    Kernel.exit(.crash)
  }
}
