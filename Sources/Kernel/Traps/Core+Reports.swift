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

  /// Says what the last exits of a domain's guest were, the latest first.
  func reportExits(of index: Int, _ kernel: Kernel) {
    let status = kernel.domains[index].status
    let count = status.value.traceCount
    guard count > 0 else { return }
    log(.error, "\(kernel.domains[index].name): the last exits of its guest, the latest first")
    for back in 1...min(count, 8) {
      let entry = status.value.trace[Int((count - back) % 32)]
      let reason = ExitReason(rawValue: entry.reason)?.name ?? "?"
      let access: StaticString = Access(rawValue: entry.access).contains(.write) ? "write" : "read"
      log(.error, "  \(reason) \(access) \(hex: entry.subject) at rip \(hex: entry.rip)")
    }
  }
}
