// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
import CX86

/// The machine's time, as every component reads it without asking the kernel.
package enum Time {
  /// The time-stamp counter.
  package static var ticks: UInt64 { cx86_rdtsc() }

  /// Ticks to nanoseconds.
  package static var scale: TimeScale { Mapped<SystemInformation>.information.value.scale }

  /// Seconds since 1970, now.
  package static var wallClock: UInt64 {
    let information = Mapped<SystemInformation>.information.value
    return information.wallClock &+ (ticks &- information.tscAtWallClock) / max(information.tscFrequency, 1)
  }
}

/// The processor's own answer to CPUID.
package func processorIdentification(_ leaf: UInt32, _ subleaf: UInt32) -> (UInt32, UInt32, UInt32, UInt32) {
  let answer = cx86_cpuid(leaf, subleaf)
  return (answer.eax, answer.ebx, answer.ecx, answer.edx)
}
