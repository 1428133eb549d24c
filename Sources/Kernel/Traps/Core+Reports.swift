// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86

extension Core {
  /// Says which component trapped, where and in what state.
  func reportTrap(of index: Int, _ kernel: Kernel) {
    let frame = kernel.threads[index].frame
    let name = kernel.domains[index].name
    func say(_ line: LogLine) { log(.error, line) }
    say("\(name) trapped: \(exceptionName(frame.vector)) (vector \(frame.vector), error \(hex: frame.error))")
    if frame.vector == 14 { say("  touched \(hex: cx86_read_cr2())") }
    say("  rip \(hex: frame.rip) rsp \(hex: frame.rsp) rflags \(hex: frame.rflags)")
    say("  rax \(hex: frame.rax) rbx \(hex: frame.rbx) rcx \(hex: frame.rcx) rdx \(hex: frame.rdx)")
    say("  rsi \(hex: frame.rsi) rdi \(hex: frame.rdi) rbp \(hex: frame.rbp) r8 \(hex: frame.r8)")
    BackTrace.walk(
      from: frame.rip, framePointer: frame.rbp, symbols: kernel.domains[index].symbols,
      read: { kernel.domains[index].readWord($0) }, say)
  }
}
