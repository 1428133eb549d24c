// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Speculation

/// What is planned for processors that people have, each as it describes itself.
struct PlanTests {
  @Test(arguments: Sample.all)
  func `each processor is known for what it gives away`(sample: Sample) {
    #expect(names(SpeculationPlan(sample.facts).affected) == names(sample.affected))
  }

  @Test(arguments: Sample.all)
  func `each processor has its plan`(sample: Sample) {
    let plan = SpeculationPlan(sample.facts)

    #expect(String(plan.measures.rawValue, radix: 2) == String(sample.measures.rawValue, radix: 2))
    #expect(plan.control == sample.control)
    #expect(names(plan.open) == names(sample.open))
    #expect(plan.leaksBetweenThreads == sample.leaks)
  }

  @Test(arguments: Sample.all)
  func `what is open is affected, and each affected one has its line`(sample: Sample) {
    let plan = SpeculationPlan(sample.facts)
    #expect(plan.affected.contains(plan.open))

    var (affected, unaffected, open) = (0, 0, 0)
    plan.eachAffected { _, answer, isOpen in
      affected += 1
      open += isOpen ? 1 : 0
      #expect(!"\(answer)".isEmpty)
    }
    plan.eachUnaffected { _ in unaffected += 1 }
    #expect(affected == plan.affected.rawValue.nonzeroBitCount && open == plan.open.rawValue.nonzeroBitCount)
    #expect(affected + unaffected == Vulnerabilities.count)
  }

  @Test func `the reference machine's lines`() throws {
    let plan = SpeculationPlan(try #require(Sample.intel.first).facts)
    var lines: [String] = []
    plan.eachAffected { name, answer, isOpen in lines.append("\(name): \(isOpen ? "vulnerable: " : "")\(answer)") }
    #expect(
      lines == [
        "Spectre v1: indices of system calls are masked",
        "Spectre v2: no indirect branches, IBPB at changes, returns filled at exits",
        "Retbleed: the return stack is filled at exits, and never runs empty",
        "Meltdown: vulnerable: components' tables map the kernel's memory and components', no guest's",
        "L1TF: L1D flush before another guest",
        "MDS: VERW at changes",
        "TAA: VERW at changes",
        "MMIO stale data: VERW at changes",
        "GDS: microcode",
        "store bypass: guests' own choice",
        "LazyFP: registers cleared at changes",
        "ITLB multihit: guests execute from 4 KiB pages",
      ])
  }

  @Test func `a processor is asked by its leaves, and for registers only if it has them`() {
    var asked: [UInt32] = []
    let facts = SpeculationFacts(isTranslated: false) { leaf, part in
      switch (leaf, part) {
      case (0, _): CPUIDAnswer(eax: 7, ebx: 0x756e_6547, ecx: 0x6c65_746e, edx: 0x4965_6e69)
      case (1, _): CPUIDAnswer(eax: 0x0005_0654)
      case (7, 0): CPUIDAnswer(ebx: 1 << 11, edx: 1 << 29)
      case (7, _): CPUIDAnswer(edx: .max)
      default: .zero
      }
    } register: {
      asked.append($0)
      return $0 == 0x10A ? 1 << 2 : 0x0200_6e05 << 32
    }

    #expect(facts.identity == ProcessorIdentity(.intel, family: 6, model: 0x55, stepping: 4))
    #expect(facts.has(.transactions) && !facts.has(.historyControl))
    #expect(facts.capabilities == .returnsByBranches && facts.revision == 0x0200_6e05)
    #expect(asked == [0x10A, 0x8B])
  }

  @Test(arguments: [(0x0080_0f12, 0x17, 0x01, 2), (0x00a2_0f10, 0x19, 0x21, 0)] as [(UInt32, UInt32, UInt32, UInt32)])
  func `AMD's families have two parts`(signature: UInt32, family: UInt32, model: UInt32, stepping: UInt32) {
    let identity = ProcessorIdentity { leaf, _ in
      leaf == 0 ? CPUIDAnswer(ebx: 0x6874_7541) : CPUIDAnswer(eax: signature)
    }
    #expect(identity == ProcessorIdentity(.amd, family: family, model: model, stepping: stepping))
  }

  private func names(_ set: Vulnerabilities) -> [String] {
    (0..<Vulnerabilities.count).filter { set.contains(.bit($0)) }.map { "\(Vulnerabilities.name($0))" }
  }
}
