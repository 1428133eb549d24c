// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What a guest is given to keep its own processes apart.
///
/// PRED_CMD and FLUSH_CMD are commands without a state: a guest that writes them forgets predictions, its own and those of
/// the core, or empties the core's first cache, and learns nothing. SPEC_CTRL has a state, which `GuestControl` keeps.
package struct GuestSpeculation: Equatable, Sendable {
  /// Whether guests write PRED_CMD with no exit.
  package let forgetsBranches: Bool
  /// Whether guests write FLUSH_CMD with no exit.
  package let flushesL1: Bool
  /// The bits of SPEC_CTRL that guests may set; none where they have no such register.
  package let control: SpeculationControl
  /// What guests read from IA32_ARCH_CAPABILITIES; 0 where they have no such register.
  package let capabilities: ArchitecturalCapabilities

  package init(_ facts: SpeculationFacts, _ plan: SpeculationPlan) {
    control = facts.control
    forgetsBranches = facts.has(.control) || facts.has(.barrier)
    flushesL1 = facts.identity.vendor == .intel && facts.has(.flushesL1)
    guard facts.identity.vendor == .intel, facts.has(.capabilities) else {
      capabilities = .none
      return
    }
    var shown = facts.capabilities & .shown
    if !control.isEmpty { shown.insert(facts.capabilities & .enhancedControl) }
    // What Roost does below the guest, it need not do again: it does enter no guest of its own, and its pages are ours.
    shown.insert(.needsNoL1Flush)
    if plan.measures.contains(.mapsSmall) { shown.insert(.changesPageSizes) }
    if plan.affected.contains(.gather), !plan.open.contains(.gather) { shown.insert(.keepsGathered) }
    if plan.measures.contains(.stopsTransactions) { shown.insert(.keepsAborted) }
    capabilities = shown
  }
}

extension SpeculationFacts {
  /// The bits of SPEC_CTRL that CPUID says are there (Intel SDM volume 4, table 2-2; AMD APM volume 2, §3.2.9); none if
  /// there is no such register.
  package var control: SpeculationControl {
    guard !isTranslated else { return .none }
    var bits: SpeculationControl = .none
    switch identity.vendor {
    case .intel:
      bits.set(.restricted, to: has(.control))
      bits.set(.singleThread, to: has(.threadControl))
      bits.set(.keepsStoreOrder, to: has(.storeControl))
      bits.set(.noForwarding, to: has(.forwardingControl))
      bits.set(.noTargets | .noTargetsUser, to: has(.targetControl))
      bits.set(.returnsOnly | .returnsOnlyUser, to: has(.returnControl))
      bits.set(.noDataPrefetch, to: has(.prefetchControl))
      bits.set(.noHistory, to: has(.historyControl))
    case .amd:
      bits.set(.restricted, to: has(.amdControl))
      bits.set(.singleThread, to: has(.amdThreadControl))
      bits.set(.keepsStoreOrder, to: has(.amdStoreControl))
      bits.set(.noForwarding, to: has(.amdForwardingControl))
    case .other: break
    }
    return bits
  }
}
