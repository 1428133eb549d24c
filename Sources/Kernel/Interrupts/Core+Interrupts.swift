// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Processors

extension Core {
  /// Takes note of an interrupt; what follows from it the main loop finds out.
  mutating func handleInterrupt(_ vector: UInt64, _ kernel: Kernel) {
    guard vector != Vectors.spurious else { return }
    if vector == Vectors.stop { cx86_halt_forever() }
    if vector == Vectors.timer {
      timer.fired()
      if index == 0 { kernel.listenAgain() }
    } else if vector >= Vectors.firstLine, vector < Vectors.firstLine + UInt64(kernel.lines.count) {
      kernel.fire(line: Int(vector - Vectors.firstLine), from: index)
    } else if vector == Vectors.fault {
      kernel.reportFaults()
    }
    // Last: until then a pin shows that its interrupt is in service.
    kernel.interrupts.local.end()
  }
}
