// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Speculation

/// What guests are given, and what they read of the processor.
struct GuestTests {
  private func view(_ name: String) throws -> GuestSpeculation {
    ProcessorSpeculation(try #require(Sample.all.first { $0.name.hasPrefix(name) }).facts).guests
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
    let guests = ProcessorSpeculation(sample.facts).guests
    #expect(!guests.capabilities.intersects(.transactionControl | .gatherControl | .bit(18) | .bit(21)))
    #expect(!guests.capabilities.contains(.enhancedControl) || guests.control.contains(.restricted))
  }

  @Test func `a guest may set the bits of SPEC_CTRL that its processor has`() throws {
    let old: SpeculationControl = .restricted | .singleThread | .keepsStoreOrder
    #expect(try view("Xeon D").control == old && view("Haswell").control == old)
    #expect(try view("Ice Lake-SP").control == old && view("Ice Lake-SP").capabilities.contains(.enhancedControl))
    #expect(try view("Sapphire").control == old | .noHistory | .returnsOnly | .returnsOnlyUser)
    #expect(try view("Zen 2").control == old && view("Zen 5").control == old)
    for name in ["Skylake-X", "Zen", "EPYC"] { #expect(try view(name).control == .none) }
  }

  @Test func `each bit of SPEC_CTRL has its own bit of CPUID, by vendor`() {
    let bits: [(SpeculationFeature, SpeculationControl)] = [
      (.control, .bit(0)), (.threadControl, .bit(1)), (.storeControl, .bit(2)), (.targetControl, .bit(3) | .bit(4)),
      (.returnControl, .bit(5) | .bit(6)), (.forwardingControl, .bit(7)), (.prefetchControl, .bit(8)),
      (.historyControl, .bit(10)),
    ]
    for (feature, control) in bits {
      #expect(SpeculationFacts(.intel, 6, 0x8f, 8, [feature]).control == control)
      #expect(SpeculationFacts(.amd, 0x19, 1, 1, [feature]).control == .none)
    }
    let others: [(SpeculationFeature, SpeculationControl)] = [
      (.amdControl, .bit(0)), (.amdThreadControl, .bit(1)), (.amdStoreControl, .bit(2)),
      (.amdForwardingControl, .bit(7)),
    ]
    for (feature, control) in others {
      #expect(SpeculationFacts(.amd, 0x19, 1, 1, [feature]).control == control)
      #expect(SpeculationFacts(.intel, 6, 0x8f, 8, [feature]).control == .none)
    }
  }

  @Test(arguments: Sample.all)
  func `a guest reads that it is safe only from what the processor says, or Roost does`(sample: Sample) {
    let plan = SpeculationPlan(sample.facts)
    let shown = GuestSpeculation(sample.facts, plan).capabilities
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
