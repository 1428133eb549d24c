// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86

extension Core {
  /// Takes note of an interrupt; what follows from it the main loop finds out.
  mutating func handleInterrupt(_ vector: UInt64, _ kernel: Kernel) {
    guard vector != Vectors.spurious else { return }
    if vector == Vectors.stop { cx86_halt_forever() }
    kernel.interrupts.local.end()
    if vector == Vectors.timer {
      timer.fired()
    } else if vector >= Vectors.firstLine, vector < Vectors.firstLine + UInt64(kernel.lines.count) {
      let line = kernel.lines[Int(vector - Vectors.firstLine)]
      // A level-triggered line stays raised until its driver has seen to the device: silent until it says so.
      if line.isLevel { kernel.interrupts.mask(line) }
      kernel.raise(Notifications(rawValue: line.notification), for: line.owner, from: index)
    }
  }
}
