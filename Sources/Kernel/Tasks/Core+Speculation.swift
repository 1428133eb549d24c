// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Speculation
import X86

/// What the processor would give away, cleared where a core changes hands; what and when, `CoreOccupancy` says.
extension Core {
  /// The thread, or its guest, is the next to run here.
  @inline(__always)
  mutating func admit(_ index: Int, as form: CoreOccupancy.Form, _ kernel: Kernel) {
    guard occupancy.isDue(index, as: form) else { return }
    clear(occupancy.take(index, as: form).measures, for: index, kernel)
  }

  private mutating func clear(_ due: Measures, for index: Int, _ kernel: Kernel) {
    if due.contains(.clearsVectors), let owner = extendedOwner, kernel.threads[index].virtualCPU != owner {
      kernel.virtualCPUs[owner].extended.withdraw()
      extendedOwner = nil
    }
    if due.contains(.forgetsBranches) { MSR.prediction.value = 1 }
    if due.contains(.flushesL1) { MSR.cacheFlush.value = 1 }
    // Last: between this and the entry the kernel touches nothing of another's.
    if due.contains(.clearsBuffers) { cx86_clear_buffers() }
  }
}

extension SpeculationFacts {
  /// What the processor that asks says of itself.
  static var ofThisProcessor: SpeculationFacts {
    SpeculationFacts(isTranslated: ProcessorFeatures().isTranslated) { leaf, part in
      let answer = cx86_cpuid(leaf, part)
      return CPUIDAnswer(eax: answer.eax, ebx: answer.ebx, ecx: answer.ecx, edx: answer.edx)
    } register: {
      MSR($0).value
    }
  }
}

extension SpeculationPlan {
  /// What is set once, by each core for itself.
  func begin() {
    if measures.contains(.setsControl) { MSR.speculation.value = control.rawValue }
    if measures.contains(.setsAutomatic) { MSR.efer.value |= EFER.automaticIBRS.rawValue }
    // RTM_DISABLE and TSX_CPUID_CLEAR (Intel SDM volume 4, table 2-2).
    if measures.contains(.stopsTransactions) { MSR.transactions.value |= 3 }
    if measures.contains(.setsBackup) { MSR.decoding.value |= 1 << 9 }
    if measures.contains(.setsReduced) { MSR.branches.value |= 1 << 4 }
  }
}

extension FixedWidthInteger {
  /// This, which was found to be below `count`, also where the processor has guessed so and is wrong; else 0.
  @inline(__always)
  func clamped(below count: Int) -> Int {
    Int(truncatingIfNeeded: cx86_clamp(UInt64(truncatingIfNeeded: self), UInt64(truncatingIfNeeded: count)))
  }
}
