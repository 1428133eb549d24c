// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Machine

/// A machine that has everything: each leaf answers ones where nothing else is said.
private func boastful(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDAnswer {
  switch (leaf, subleaf) {
  case (0, _): CPUIDAnswer(eax: 0x20, ebx: 0x6874_7541, ecx: 0x444d_4163, edx: 0x6974_6e65)
  case (0x8000_0000, _): CPUIDAnswer(eax: 0x8000_0028)
  case (0xd, 0): CPUIDAnswer(eax: 0x2e7, ebx: 9999, ecx: 9999)
  case (0xd, 2): CPUIDAnswer(eax: 256, ebx: 576)
  case (0xd, 5): CPUIDAnswer(eax: 64, ebx: 832)
  case (0xd, 6): CPUIDAnswer(eax: 512, ebx: 896, ecx: 2)
  case (0xd, 7): CPUIDAnswer(eax: 1024, ebx: 1408, ecx: 2)
  case (0xd, 9): CPUIDAnswer(eax: 8, ebx: 2432)
  default: CPUIDAnswer(eax: .max, ebx: .max, ecx: .max, edx: .max)
  }
}

/// A small, old one.
private func modest(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDAnswer {
  switch leaf {
  case 0: CPUIDAnswer(eax: 0xd)
  case 0x8000_0000: CPUIDAnswer(eax: 0x8000_0008)
  default: .zero
  }
}

private func facts(_ change: (inout CPUIDFacts) -> Void = { _ in }) -> CPUIDFacts {
  var facts = CPUIDFacts()
  facts.supportedXCR0 = 0x2e7
  facts.tscFrequency = 2_595_124_000
  change(&facts)
  return facts
}

private func ask(
  _ leaf: UInt32, _ subleaf: UInt32 = 0, _ facts: CPUIDFacts = facts(),
  _ machine: (UInt32, UInt32) -> CPUIDAnswer = boastful
) -> CPUIDAnswer {
  CPUIDPolicy(facts).answer(leaf: leaf, subleaf: subleaf, machine: machine)
}

private func has(_ word: UInt32, _ bit: UInt32) -> Bool { word & 1 << bit != 0 }

@Suite struct CPUIDPolicyTests {
  @Test func `vendor passes, leaves beyond what is offered answer nothing`() {
    #expect(ask(0).ebx == 0x6874_7541 && ask(0).eax == 0x16)
    #expect(ask(0, 0, facts(), modest).eax == 0xd)
    #expect(ask(0x8000_0000).eax == 0x8000_0021)
    for leaf: UInt32 in [0x17, 0x1f, 0x8000_0022, 0x8fff_ffff, 0xc000_0000, 0x1234_5678, .max, 0x4000_0002] {
      #expect(ask(leaf) == .zero)
    }
    #expect(ask(0x15, 0, facts(), modest) == .zero)
  }

  @Test func `commands against speculation are shown where guests may give them, and SPEC_CTRL apart`() {
    let without = (ask(7).edx, ask(0x8000_0008).ebx, ask(0x8000_0021).eax)
    for bit: UInt32 in [26, 27, 28, 29, 30, 31] { #expect(!has(without.0, bit)) }
    for bit: UInt32 in [12, 14, 15, 16, 17, 18, 19, 24, 25, 28, 30] { #expect(!has(without.1, bit)) }
    for bit: UInt32 in [8, 27, 28, 31] { #expect(!has(without.2, bit)) }

    let given = facts {
      $0.passesPredictionCommand = true
      $0.passesFlushCommand = true
      $0.architecturalCapabilities = 1
    }
    let with = (ask(7, 0, given).edx, ask(0x8000_0008, 0, given).ebx, ask(0x8000_0021, 0, given).eax)
    for bit: UInt32 in [26, 27, 30, 31] { #expect(!has(with.0, bit)) }
    #expect(has(with.0, 28) && has(with.0, 29) && has(with.1, 12) && has(with.2, 27) && has(with.2, 28))
    for bit: UInt32 in [14, 15, 16, 17, 18, 24, 25, 28] { #expect(!has(with.1, bit)) }
    // Intel's have no bit there for the barrier alone; Linux asks for AMD's.
    #expect(has(ask(0x8000_0008, 0, given, modest).ebx, 12) && !has(ask(7, 0, given, modest).edx, 28))
  }

  /// Who shows a bit of SPEC_CTRL, by leaf, word and bit.
  private func shown(_ control: UInt64) -> Set<String> {
    let given = facts {
      $0.passesPredictionCommand = true
      $0.speculationControl = control
    }
    let words: [(String, UInt32, [UInt32])] = [
      ("7.0 edx", ask(7, 0, given).edx, [26, 27, 31]),
      ("7.2 edx", ask(7, 2, given).edx, [0, 1, 2, 3, 4, 6, 7]),
      ("8000_0008 ebx", ask(0x8000_0008, 0, given).ebx, [14, 15, 16, 17, 18, 19, 24, 25, 28]),
    ]
    return Set(words.flatMap { name, word, bits in bits.filter { has(word, $0) }.map { "\(name) \($0)" } })
  }

  @Test(
    arguments: [
      (0, []),
      (1 << 0, ["7.0 edx 26", "8000_0008 ebx 14", "8000_0008 ebx 16", "8000_0008 ebx 18", "8000_0008 ebx 19"]),
      (1 << 1, ["7.0 edx 27", "8000_0008 ebx 15", "8000_0008 ebx 17"]),
      (1 << 2, ["7.0 edx 31", "8000_0008 ebx 24"]),
      (1 << 3, []), (1 << 3 | 1 << 4, ["7.2 edx 1"]),
      (1 << 6, []), (1 << 5 | 1 << 6, ["7.2 edx 2"]),
      (1 << 7, ["7.2 edx 0", "8000_0008 ebx 28"]),
      (1 << 8, ["7.2 edx 3"]), (1 << 10, ["7.2 edx 4"]),
    ] as [(UInt64, Set<String>)])
  func `a bit of SPEC_CTRL is shown where its vendor shows it, if the guest may set it`(
    control: UInt64, bits: Set<String>
  ) {
    #expect(shown(control) == bits)
  }

  @Test func `leaf 7 has its third part where the machine has it, with no bit that the machine has not`() {
    let all = facts { $0.speculationControl = .max }
    #expect(ask(7, 0, all).eax == 2 && ask(7, 3, all) == .zero)
    #expect(ask(7, 2, all) == CPUIDAnswer(edx: 0x3f))
    #expect(ask(7, 2, all, modest) == .zero)
    #expect(ask(7, 2).edx == 1 << 5)
  }

  @Test func `virtualisation, monitoring and the machine's own business are hidden`() {
    let one = ask(1)
    for bit: UInt32 in [2, 3, 4, 5, 6, 7, 8, 10, 11, 14, 15, 16, 18] { #expect(!has(one.ecx, bit)) }
    for bit: UInt32 in [7, 14, 18, 21, 22, 28, 29, 31] { #expect(!has(one.edx, bit)) }
    let extended = ask(0x8000_0001)
    for bit: UInt32 in [1, 2, 3, 9, 10, 12, 13, 15, 17, 19, 23, 24, 27, 28, 29] { #expect(!has(extended.ecx, bit)) }
    for leaf: UInt32 in [3, 5, 9, 0xa, 0xf, 0x10, 0x12, 0x14, 0x8000_000a, 0x8000_001b, 0x8000_001c, 0x8000_001f] {
      #expect(ask(leaf) == .zero)
    }
  }

  @Test func `speculation control is hidden, what says that nothing is needed passes`() {
    for bit: UInt32 in [26, 27, 28, 29, 30, 31] { #expect(!has(ask(7).edx, bit)) }
    let answer = ask(0x8000_0008)
    for bit: UInt32 in [12, 14, 15, 16, 17, 18, 19, 24, 25, 28] { #expect(!has(answer.ebx, bit)) }
    #expect(has(answer.ebx, 26) && has(answer.ebx, 29))
    let more = ask(0x8000_0021)
    #expect(has(more.eax, 5) && has(more.eax, 29) && has(more.eax, 30))
    #expect(more.ecx == 1 << 1 | 1 << 2)
  }

  @Test func `ordinary features pass as the machine has them`() {
    for bit: UInt32 in [0, 9, 12, 13, 17, 19, 20, 22, 23, 25, 26, 28, 29, 30] {
      #expect(has(ask(1).ecx, bit))
      #expect(!has(ask(1, 0, facts(), modest).ecx, bit))
    }
    for bit: UInt32 in [0, 3, 5, 7, 8, 9, 10, 18, 20, 29] { #expect(has(ask(7).ebx, bit)) }
    for bit: UInt32 in [11, 20, 26, 27, 29] { #expect(has(ask(0x8000_0001).edx, bit)) }
  }

  @Test func `what Roost provides is there on any machine`() {
    for machine in [boastful, modest] {
      let one = ask(1, 0, facts(), machine)
      #expect(has(one.ecx, 21) && has(one.ecx, 31) && has(one.edx, 9))
      #expect(has(ask(7, 0, facts(), machine).ebx, 1))
      #expect(ask(0x8000_0007, 0, facts(), machine).edx == 1 << 8)
      #expect(ask(6, 0, facts(), machine).eax == 4)
    }
  }

  @Test func `OSXSAVE and OSPKE repeat the guest's CR4, not the machine's`() {
    #expect(!has(ask(1).ecx, 27) && !has(ask(7).ecx, 4))
    let on = facts { $0.cr4 = 1 << 18 | 1 << 22 }
    #expect(has(ask(1, 0, on).ecx, 27) && has(ask(7, 0, on).ecx, 4))
  }

  @Test func `the deadline timer is offered as the facts say`() {
    #expect(has(ask(1).ecx, 24))
    #expect(!has(ask(1, 0, facts { $0.offersDeadlineTimer = false }).ecx, 24))
  }

  @Test func `one core with one thread, at the guest's APIC identifier`() {
    let here = facts { $0.apicID = 3 }
    #expect(ask(1, 0, here).ebx == 3 << 24 | 1 << 16 | 0xffff)
    #expect(ask(0xb, 0, here) == CPUIDAnswer(eax: 0, ebx: 1, ecx: 0x100, edx: 3))
    #expect(ask(0xb, 1, here) == CPUIDAnswer(eax: 0, ebx: 1, ecx: 0x201, edx: 3))
    #expect(ask(0xb, 2, here) == CPUIDAnswer(eax: 0, ebx: 0, ecx: 2, edx: 3))
    #expect(ask(0x8000_001e, 0, here) == CPUIDAnswer(eax: 3))
    #expect(ask(0x8000_0008).ecx == 0)
    #expect(ask(4).eax >> 14 == 0 && ask(0x8000_001d).eax >> 14 == 0)
  }

  // MARK: - State

  @Test func `XSAVE offers what the guest may turn on, with sizes of its own`() {
    let all = ask(0xd, 0, facts { $0.xcr0 = 7 })
    #expect(all == CPUIDAnswer(eax: 0x2e7, ebx: 832, ecx: 2440, edx: 0))
    let plain = facts { $0.supportedXCR0 = 7 }
    #expect(ask(0xd, 0, plain) == CPUIDAnswer(eax: 7, ebx: 576, ecx: 832))
    #expect(ask(0xd, 2, plain) == CPUIDAnswer(eax: 256, ebx: 576))
    for subleaf: UInt32 in [3, 5, 9, 62, 63, 64, .max] { #expect(ask(0xd, subleaf, plain) == .zero) }
    #expect(ask(0xd, 6) == CPUIDAnswer(eax: 512, ebx: 896, ecx: 2))
  }

  @Test func `compacted state is aligned where the machine says so, and XSAVES is hidden`() {
    let answer = ask(0xd, 1, facts { $0.xcr0 = 0xe7 })
    #expect(answer.eax == 7 && answer.ecx == 0 && answer.edx == 0)
    #expect(answer.ebx == 576 + 256 + 64 + 512 + 1024)
    #expect(ask(0xd, 1, facts { $0.xcr0 = 0x62 }).ebx == 576 + 64 + 512)
  }

  @Test func `features go with the state they use`() {
    let without = facts { $0.supportedXCR0 = 3 }
    for bit: UInt32 in [12, 28, 29] { #expect(!has(ask(1, 0, without).ecx, bit)) }
    for bit: UInt32 in [5, 16, 17, 21, 28, 30, 31] { #expect(!has(ask(7, 0, without).ebx, bit)) }
    #expect(!has(ask(7, 0, without).ecx, 3))
    let half = facts { $0.supportedXCR0 = 7 }
    #expect(has(ask(7, 0, half).ebx, 5) && !has(ask(7, 0, half).ebx, 16))
  }

  // MARK: - Clocks

  @Test func `the paravirtual leaves are KVM's`() {
    let signature = ask(0x4000_0000)
    #expect(signature == CPUIDAnswer(eax: 0x4000_0010, ebx: 0x4b4d_564b, ecx: 0x564b_4d56, edx: 0x4d))
    #expect(ask(0x4000_0001) == CPUIDAnswer(eax: 1 << 24 | 1 << 6 | 1 << 3 | 1 << 1 | 1))
    #expect(ask(0x4000_0010) == CPUIDAnswer(eax: 2_595_124, ebx: 1_000_000))
  }

  @Test(
    arguments: [
      2_000_000_000, 2_200_000_000, 2_595_124_000, 2_399_999_317, 999_999_999, 3_700_001_003, 138_000_000,
      5_300_000_007,
      1, 1 << 39,
    ] as [UInt64])
  func `leaf 15 gives the counter's rate without overflow in Linux's arithmetic`(frequency: UInt64) {
    let answer = ask(0x15, 0, facts { $0.tscFrequency = frequency })
    let kilohertz = UInt64(answer.ecx / 1000) * UInt64(answer.ebx) / UInt64(answer.eax)
    guard frequency >= 100_000_000, frequency < 4_294_000_000 else { return }
    #expect(UInt64(answer.ecx / 1000) * UInt64(answer.ebx) <= UInt64(UInt32.max))
    let error = Double(kilohertz) * 1000 / Double(frequency) - 1
    #expect(abs(error) < 8e-6)
  }

  @Test func `no leaf and no facts make it trap`() {
    var random = SplitMix64(seed: 4)
    for _ in 0..<fuzzRounds(20_000) {
      let guest = facts {
        $0.cr4 = random.next()
        $0.xcr0 = random.next()
        $0.supportedXCR0 = random.next()
        $0.tscFrequency = random.next() >> (random.next() & 63)
        $0.apicID = UInt32(truncatingIfNeeded: random.next())
      }
      var leaf = UInt32(truncatingIfNeeded: random.next())
      if random.next() & 3 != 0 { leaf &= 0xc000_003f }
      let words = (random.next(), random.next())
      _ = ask(leaf, UInt32(truncatingIfNeeded: random.next() & 0x7f), guest) { _, _ in
        CPUIDAnswer(
          eax: UInt32(truncatingIfNeeded: words.0), ebx: UInt32(truncatingIfNeeded: words.1),
          ecx: UInt32(truncatingIfNeeded: words.0 >> 32), edx: UInt32(truncatingIfNeeded: words.1 >> 32))
      }
    }
  }
}
