// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Speculation

/// Each change of hands writes what the plan says, and nothing else writes anything.
struct OccupancyTests {
  private func measures(_ turns: [(Int, CoreOccupancy.Form)], _ plan: SpeculationPlan) -> [Measures] {
    var core = CoreOccupancy(plan)
    return turns.map { domain, form in
      let isDue = core.isDue(domain, as: form)
      let due = core.take(domain, as: form).measures
      #expect(isDue || due.isEmpty)
      return due
    }
  }

  private var reference: SpeculationPlan { SpeculationPlan(Sample.intel[0].facts) }

  @Test func `a VM's own turns cost nothing`() {
    let due = measures(
      [(0, .component), (0, .guest), (0, .component), (0, .guest), (0, .guest), (0, .component)], reference)
    #expect(due[0] == .forgetsBranches | .clearsBuffers | .clearsVectors)
    #expect(due[1] == .flushesL1)
    #expect(due[2...].allSatisfy { $0 == .none })
  }

  @Test func `another guest gets all of it at once`() {
    let due = measures([(0, .guest), (1, .guest), (0, .guest)], reference)
    #expect(due == Array(repeating: .forgetsBranches | .clearsBuffers | .flushesL1, count: 3))
  }

  @Test func `a guest that comes back by its VMM has its first cache flushed of what a server left`() {
    let due = measures([(0, .guest), (5, .component), (0, .component), (0, .guest), (0, .guest)], reference)
    let change: Measures = .forgetsBranches | .clearsBuffers | .clearsVectors
    #expect(due[1...] == [change, change, .flushesL1, .none])
  }

  @Test func `a processor that needs nothing is asked for nothing`() throws {
    let plan = SpeculationPlan(try #require(Sample.amd.last).facts)
    let core = CoreOccupancy(plan)
    #expect(!core.isDue(0, as: .guest) && !core.isDue(0, as: .component))
    #expect(measures([(0, .guest), (1, .component), (2, .guest)], plan) == [.none, .none, .none])
  }

  @Test(arguments: Sample.all)
  func `a change writes no more than the plan has`(sample: Sample) {
    let plan = SpeculationPlan(sample.facts)
    let due = measures([(0, .component), (0, .guest), (1, .component), (1, .guest), (0, .guest)], plan)
    #expect(due.allSatisfy { plan.measures.contains($0) })
    let barriers = due.filter { $0.contains(.forgetsBranches) }.count
    #expect(barriers == (plan.measures.contains(.forgetsBranches) ? 3 : 0))
  }
}
