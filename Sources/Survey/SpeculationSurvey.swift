// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Speculation

/// What a processor gives away while it guesses, and what Roost would do about it: its own plan, made from what Linux says.
///
/// /proc/cpuinfo has the model, and most of CPUID's bits by Linux' names. What only registers tell, Linux tells by what it
/// made of them, in `vulnerabilities`: a weakness that the processor says it has not is not affected there. Where a Linux is
/// too old to know of one, the makers' lists alone say.
struct SpeculationSurvey: Sendable {
  /// `nil` if Linux does not say which processor it is.
  let plan: SpeculationPlan?

  private static let folder = "sys/devices/system/cpu/vulnerabilities"

  init(_ files: MachineFiles, _ processor: ProcessorSurvey) {
    guard let identity = processor.identity else {
      plan = nil
      return
    }
    var facts = SpeculationFacts(identity)
    for (flag, features) in Self.flags where processor.has(flag) {
      for feature in features { facts.add(feature) }
    }
    for (name, says, apply) in Self.answers {
      guard let text = files.text("\(Self.folder)/\(name)"), text.contains(says) else { continue }
      apply(&facts)
    }
    if processor.has("ibrs_enhanced") { facts.capabilities.insert(.enhancedControl) }
    plan = SpeculationPlan(facts)
  }

  /// Bits of CPUID by the names that Linux has for them, the same for both makers.
  private static let flags: [(String, [SpeculationFeature])] = [
    ("avx", [.vectors]), ("rdrand", [.random]), ("rtm", [.transactions]), ("md_clear", [.clearsBuffers]),
    ("ibpb", [.control, .barrier]), ("ibrs", [.control, .amdControl]), ("stibp", [.threadControl, .amdThreadControl]),
    ("ssbd", [.storeControl, .amdStoreControl]), ("flush_l1d", [.flushesL1]), ("arch_capabilities", [.capabilities]),
    ("xsaveerptr", [.restoresPointers]), ("amd_ssb_no", [.keepsStoreOrder]), ("autoibrs", [.automaticControl]),
    ("amd_psfd", [.amdForwardingControl]),
  ]

  /// Files, what they say, and what follows.
  private static let answers: [(String, String, @Sendable (inout SpeculationFacts) -> Void)] = [
    ("meltdown", "Not affected", { $0.capabilities.insert(.keepsPrivilege) }),
    ("l1tf", "Not affected", { $0.capabilities.insert(.needsNoL1Flush) }),
    ("mds", "Not affected", { $0.capabilities.insert(.keepsBuffers) }),
    ("tsx_async_abort", "Not affected", { $0.capabilities.insert(.keepsAborted) }),
    ("itlb_multihit", "Not affected", { $0.capabilities.insert(.changesPageSizes) }),
    ("mmio_stale_data", "Not affected", { $0.capabilities.insert(.keepsStaleData) }),
    ("mmio_stale_data", "Mitigation: Clear", { $0.capabilities.insert(.clearsFillBuffers) }),
    ("gather_data_sampling", "Not affected", { $0.capabilities.insert(.keepsGathered) }),
    ("gather_data_sampling", "Mitigation: Microcode", { $0.capabilities.insert(.gatherControl) }),
    ("reg_file_data_sampling", "Not affected", { $0.capabilities.insert(.keepsRegisterFile) }),
    ("reg_file_data_sampling", "Mitigation: Clear", { $0.capabilities.insert(.clearsRegisterFile) }),
    ("indirect_target_selection", "Not affected", { $0.capabilities.insert(.selectsTargets) }),
    ("srbds", "Mitigation: Microcode", { $0.add(.randomControl) }),
    ("spec_store_bypass", "Not affected", { $0.capabilities.insert(.keepsStoreOrder) }),
    ("spec_store_bypass", "Not affected", { $0.add(.keepsStoreOrder) }),
    ("spectre_v2", "BHI: Not affected", { $0.capabilities.insert(.keepsHistory) }),
    ("spectre_v2", "BHI: BHI_DIS_S", { $0.add(.historyControl) }),
    ("retbleed", "Not affected", { $0.add(.keepsBranchTypes) }),
    ("spec_rstack_overflow", "Not affected", { $0.add(.keepsReturns) }),
    ("spec_rstack_overflow", "Mitigation", { $0.add(.barrierForgetsTypes) }),
    ("spec_rstack_overflow", "Reduced Speculation", { $0.add(.keepsKernelReturns) }),
    ("spec_rstack_overflow", "Reduced Speculation", { $0.add(.reducesReturns) }),
    ("tsa", "Not affected", { $0.add(.keepsStoreQueue) }),
    ("tsa", "Not affected", { $0.add(.keepsL1) }),
    ("tsa", "Mitigation: Clear", { $0.add(.amdClearsBuffers) }),
  ]

  /// The lines of the boot report.
  var findings: [Finding] {
    guard let plan else { return [] }
    var findings: [Finding] = []
    plan.eachAffected { name, answer, isOpen in
      findings.append(
        Finding(isOpen ? .note : .fit, "speculation", "\(name): \(isOpen ? "vulnerable: " : "")\(answer)"))
    }
    if plan.leaksBetweenThreads {
      findings.append(
        Finding(
          .note, "speculation", "threads of one core leak to each other: a VM stays off beside others ('threads')"))
    }
    return findings
  }
}
