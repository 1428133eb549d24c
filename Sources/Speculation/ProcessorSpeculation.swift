// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What is done about speculation: decided once, from what the processor said of itself, and passed on.
package struct ProcessorSpeculation: Sendable {
  package let plan: SpeculationPlan
  package let guests: GuestSpeculation

  package init(_ facts: SpeculationFacts) {
    plan = SpeculationPlan(facts)
    guests = GuestSpeculation(facts, plan)
  }
}
