// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Speculation

/// What guests are given, and what they read of the processor.
struct GuestTests {
  private func view(_ name: String) throws -> GuestSpeculation {
    GuestSpeculation(try #require(Sample.all.first { $0.name.hasPrefix(name) }).facts)
  }

  @Test
  func `a guest of the reference machine forgets its predictions, flushes its cache and reads what is done for it`()
    throws
  {
    let guest = try view("Xeon D")
    #expect(guest.forgetsBranches && guest.flushesL1)
    #expect(
      guest.capabilities
        == .returnsByBranches | .clearsFillBuffers | .needsNoL1Flush | .changesPageSizes | .keepsGathered)
  }

  @Test func `transactions that are off cannot give anything away`() throws {
    let guest = try view("Cascade Lake")
    #expect(guest.capabilities.contains(.keepsAborted | .keepsPrivilege | .keepsBuffers))
    #expect(!guest.capabilities.intersects(.transactionControl | .gatherControl))
  }

  @Test(arguments: Sample.all)
  func `no guest reads of a register that it has not`(sample: Sample) {
    let shown = GuestSpeculation(sample.facts).capabilities
    #expect(!shown.intersects(.enhancedControl | .transactionControl | .gatherControl | .bit(18) | .bit(21)))
  }

  @Test(arguments: Sample.all)
  func `a guest reads that it is safe only from what the processor says, or Roost does`(sample: Sample) {
    let plan = SpeculationPlan(sample.facts)
    let shown = GuestSpeculation(sample.facts).capabilities
    guard !shown.isEmpty else { return }
    #expect(shown.contains(.keepsPrivilege) == sample.facts.capabilities.contains(.keepsPrivilege))
    #expect(shown.contains(.keepsBuffers) == sample.facts.capabilities.contains(.keepsBuffers))
    #expect(!shown.contains(.keepsGathered) || !plan.open.contains(.gather))
  }

  @Test func `AMD's have no such register, and old processors no command`() throws {
    for name in ["Zen", "Zen 4", "EPYC"] { #expect(try view(name).capabilities == .none) }
    #expect(try view("Zen 3").forgetsBranches && !view("Zen 3").flushesL1)
    #expect(try !view("Skylake-X").forgetsBranches && !view("Skylake-X").flushesL1)
  }
}
