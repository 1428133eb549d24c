// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// What CPUID answers a guest: the machine's processor, cut down to one core and to what Roost keeps for each guest,
/// with KVM's paravirtual leaves, which stock Linux knows.
///
/// Feature words go through the tables of `FeatureMask`; this file holds the leaves that are numbers.
package struct CPUIDPolicy: Equatable, Sendable {
  /// The rate at which the timer of our local APIC counts with divisor 1, in Hz: a tick is a nanosecond.
  package static var apicFrequency: UInt64 { 1_000_000_000 }

  /// The highest basic leaf offered: those above describe what guests do not see.
  private static var lastLeaf: UInt32 { 0x16 }
  /// The highest leaf of AMD's range offered.
  private static var lastExtendedLeaf: UInt32 { 0x8000_0021 }
  /// The highest paravirtual leaf.
  private static var lastParavirtualLeaf: UInt32 { 0x4000_0010 }

  package var facts: CPUIDFacts

  package init(_ facts: CPUIDFacts) { self.facts = facts }

  /// The guest's answer. `machine` answers for the processor; it may be asked for several leaves.
  package func answer(
    leaf: UInt32, subleaf: UInt32, machine: (_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDAnswer
  ) -> CPUIDAnswer {
    switch leaf >> 16 {
    case 0x0000:
      let last = min(machine(0, 0).eax, Self.lastLeaf)
      guard leaf <= last else { return .zero }
      if leaf == 0 { return with(machine(0, 0)) { $0.eax = last } }
      return basic(leaf, subleaf, machine)
    case 0x4000:
      return paravirtual(leaf)
    case 0x8000:
      let last = min(machine(0x8000_0000, 0).eax, Self.lastExtendedLeaf)
      guard leaf <= last else { return .zero }
      if leaf == 0x8000_0000 { return with(machine(leaf, 0)) { $0.eax = last } }
      return extended(leaf, subleaf, machine(leaf, subleaf))
    default:
      return .zero
    }
  }

  /// Leaves 1 to 16 (Intel SDM volume 2A, CPUID).
  private func basic(
    _ leaf: UInt32, _ subleaf: UInt32, _ machine: (UInt32, UInt32) -> CPUIDAnswer
  ) -> CPUIDAnswer {
    switch leaf {
    case 0x1: processor(machine(leaf, 0))
    case 0x2: machine(leaf, 0)
    // One core, one thread: no cache is shared (EAX bits 14-31).
    case 0x4: with(machine(leaf, subleaf)) { $0.eax &= 0x3fff }
    // The APIC timer never stops (ARAT); the rest is temperature and frequency.
    case 0x6: CPUIDAnswer(eax: 1 << 2)
    case 0x7: features(subleaf, machine)
    case 0xb: topology(subleaf)
    case 0xd: state(subleaf, machine)
    case 0x15: clockRatio()
    case 0x16: frequencies()
    // 3 serial number, 5 MONITOR, 9 DCA, A counters, F and 10 RDT, 12 SGX, 14 PT: hidden.
    default: .zero
    }
  }

  private func processor(_ machine: CPUIDAnswer) -> CPUIDAnswer {
    CPUIDAnswer(
      eax: machine.eax,
      // Brand index and CLFLUSH size, one logical processor, the APIC identifier.
      ebx: machine.ebx & 0xffff | 1 << 16 | facts.apicID << 24,
      ecx: FeatureMask.leaf1ECX(facts).apply(machine.ecx),
      edx: FeatureMask.leaf1EDX(facts).apply(machine.edx))
  }

  private func features(_ subleaf: UInt32, _ machine: (UInt32, UInt32) -> CPUIDAnswer) -> CPUIDAnswer {
    switch subleaf {
    case 0:
      let answer = machine(7, 0)
      return CPUIDAnswer(
        eax: min(answer.eax, 2),
        ebx: FeatureMask.leaf7EBX(facts).apply(answer.ebx),
        ecx: FeatureMask.leaf7ECX(facts).apply(answer.ecx),
        edx: FeatureMask.leaf7EDX(facts).apply(answer.edx))
    case 1 where machine(7, 0).eax >= 1:
      let answer = machine(7, 1)
      return CPUIDAnswer(
        eax: FeatureMask.leaf7Sub1EAX(facts).apply(answer.eax),
        edx: FeatureMask.leaf7Sub1EDX(facts).apply(answer.edx))
    case 2 where machine(7, 0).eax >= 2:
      return CPUIDAnswer(edx: FeatureMask.leaf7Sub2EDX(facts).apply(machine(7, 2).edx))
    default: return .zero
    }
  }

  /// One thread in one core, whatever the machine has.
  private func topology(_ subleaf: UInt32) -> CPUIDAnswer {
    switch subleaf {
    case 0: CPUIDAnswer(ebx: 1, ecx: 1 << 8, edx: facts.apicID)
    case 1: CPUIDAnswer(ebx: 1, ecx: 2 << 8 | 1, edx: facts.apicID)
    default: CPUIDAnswer(ecx: subleaf & 0xff, edx: facts.apicID)
    }
  }

  /// KVM's leaves: the signature, what Roost provides, and frequencies.
  private func paravirtual(_ leaf: UInt32) -> CPUIDAnswer {
    switch leaf {
    // "KVMKVMKVM\0\0\0"
    case 0x4000_0000:
      CPUIDAnswer(eax: Self.lastParavirtualLeaf, ebx: 0x4b4d_564b, ecx: 0x564b_4d56, edx: 0x4d)
    case 0x4000_0001:
      CPUIDAnswer(eax: FeatureMask.paravirtualEAX(facts).apply(0))
    case 0x4000_0010:
      CPUIDAnswer(eax: UInt32(clamping: facts.tscFrequency / 1000), ebx: UInt32(Self.apicFrequency / 1000))
    default: .zero
    }
  }

  /// AMD's leaves (APM volume 3, appendix E.4).
  private func extended(_ leaf: UInt32, _ subleaf: UInt32, _ machine: CPUIDAnswer) -> CPUIDAnswer {
    switch leaf {
    case 0x8000_0001:
      CPUIDAnswer(
        eax: machine.eax, ebx: machine.ebx, ecx: FeatureMask.extendedECX(facts).apply(machine.ecx),
        edx: FeatureMask.extendedEDX(facts).apply(machine.edx))
    // Brand, caches, TLBs, and how wide the vector units are.
    case 0x8000_0002...0x8000_0006, 0x8000_0019, 0x8000_001a: machine
    case 0x8000_0007: CPUIDAnswer(edx: FeatureMask.powerEDX(facts).apply(machine.edx))
    case 0x8000_0008:
      // Widths of addresses; core counts are those of one core, 0.
      CPUIDAnswer(eax: machine.eax & 0xffff, ebx: FeatureMask.extensionsEBX(facts).apply(machine.ebx))
    // One core, one thread: no cache is shared (EAX bits 14-25).
    case 0x8000_001d: with(machine) { $0.eax &= 0x3fff }
    case 0x8000_001e: CPUIDAnswer(eax: facts.apicID)
    case 0x8000_0021:
      CPUIDAnswer(
        eax: FeatureMask.extended2EAX(facts).apply(machine.eax),
        ecx: FeatureMask.extended2ECX(facts).apply(machine.ecx))
    // A SVM, 1B IBS, 1C LWP, 1F memory encryption, 20 platform QoS: hidden.
    default: .zero
    }
  }

  func with(_ answer: CPUIDAnswer, _ change: (inout CPUIDAnswer) -> Void) -> CPUIDAnswer {
    var answer = answer
    change(&answer)
    return answer
  }
}
