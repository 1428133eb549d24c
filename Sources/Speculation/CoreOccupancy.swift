// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What a change of hands is due.
package struct ChangeWrites: Equatable, Sendable {
  package let measures: Measures

  package init(_ measures: Measures) { self.measures = measures }

  /// Nothing.
  package static var none: Self { Self(.none) }
}

/// Who has a core: the VM (guest and VMM are one) or server that ran there last, and whether the first cache may hold what
/// is not this one's.
///
///                  the same VM or server      another
///   ring 3         nothing                    IBPB, VERW, vector registers
///   its guest      L1D flush, if another      IBPB, VERW, L1D flush
///                  was here since the last
package struct CoreOccupancy: Equatable, Sendable, BitwiseCopyable {
  /// What the plan has for changes.
  private let plan: Measures
  /// The last domain; -1 for none.
  private var owner = -1
  private var isCacheForeign = true

  /// What each exit of a guest does before anything else.
  package let atExit: Measures

  /// A core that has nobody yet.
  package init(_ plan: SpeculationPlan) {
    self.plan = plan.measures & .atChange
    atExit = plan.measures & .atExit
  }

  /// A core that has no plan yet.
  package init() {
    plan = .none
    atExit = .none
  }

  /// How a domain comes to a core.
  package enum Form: Sendable {
    case component, guest
  }

  /// Whether there is anything to be done for this one: most turns have nothing, and most processors of emulators never.
  @inline(__always)
  package func isDue(_ domain: Int, as form: Form) -> Bool {
    guard !plan.isEmpty else { return false }
    return domain != owner || form == .guest && isCacheForeign && plan.contains(.flushesL1)
  }

  /// The core is this one's from now on.
  /// - Returns: What is to be done before it runs.
  package mutating func take(_ domain: Int, as form: Form) -> ChangeWrites {
    var due = Measures.none
    if domain != owner {
      owner = domain
      isCacheForeign = true
      due = plan & (.forgetsBranches | .clearsBuffers)
      if form == .component { due.insert(plan & .clearsVectors) }
    }
    if form == .guest, isCacheForeign {
      isCacheForeign = false
      due.insert(plan & .flushesL1)
    }
    return ChangeWrites(due)
  }
}
