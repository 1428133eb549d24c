// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What a guest is given to keep its own processes apart.
///
/// PRED_CMD and FLUSH_CMD are commands without a state: a guest that writes them forgets predictions, its own and those of
/// the core, or empties the core's first cache, and learns nothing. SPEC_CTRL has a state, which would have to be switched
/// with the guest: it is hidden.
package struct GuestSpeculation: Equatable, Sendable {
  /// Whether guests write PRED_CMD with no exit.
  package let forgetsBranches: Bool
  /// Whether guests write FLUSH_CMD with no exit.
  package let flushesL1: Bool
  /// What guests read from IA32_ARCH_CAPABILITIES; 0 where they have no such register.
  package let capabilities: ArchitecturalCapabilities

  package init(_ facts: SpeculationFacts) {
    let plan = SpeculationPlan(facts)
    forgetsBranches = facts.has(.control) || facts.has(.barrier)
    flushesL1 = facts.identity.vendor == .intel && facts.has(.flushesL1)
    guard facts.identity.vendor == .intel, facts.has(.capabilities) else {
      capabilities = .none
      return
    }
    var shown = facts.capabilities & .shown
    // What Roost does below the guest, it need not do again: it does enter no guest of its own, and its pages are ours.
    shown.insert(.needsNoL1Flush)
    if plan.measures.contains(.mapsSmall) { shown.insert(.changesPageSizes) }
    if plan.affected.contains(.gather), !plan.open.contains(.gather) { shown.insert(.keepsGathered) }
    if plan.measures.contains(.stopsTransactions) { shown.insert(.keepsAborted) }
    capabilities = shown
  }
}
