// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What is done on one processor against what it gives away.
///
/// A core belongs to a VM or a server for a turn. What one leaves in it is cleared when another comes, and at no other
/// time: the turns of one VM, its guest's and its VMM's, cost nothing. The kernel, which all of them enter, has no indirect
/// branches, and its returns go by its own calls: it fills the return stack at each exit, and calls no deeper than that is.
/// Where a processor guesses returns by other means, predictions are forgotten at each exit.
package struct SpeculationPlan: Equatable, Sendable, BitwiseCopyable {
  /// What the processor gives away if nothing is done.
  package let affected: Vulnerabilities
  package private(set) var measures: Measures = .none
  /// SPEC_CTRL while anything but a guest runs.
  package private(set) var control: SpeculationControl = .none
  /// What nothing here stops.
  package private(set) var open: Vulnerabilities = .none
  /// Whether two threads of one core find each other's data.
  package private(set) var leaksBetweenThreads = false

  package init(_ facts: SpeculationFacts) {
    affected = facts.vulnerabilities
    planBranches(facts)
    planBuffers(facts)
    planOther(facts)
  }

  private mutating func planBranches(_ facts: SpeculationFacts) {
    guard affected.contains(.branches) else { return }
    let says = facts.capabilities
    if facts.has(.control) || facts.has(.barrier) {
      measures.insert(.forgetsBranches)
    } else {
      open.insert(.branches)
    }
    measures.insert(.fillsReturns)
    if facts.has(.automaticControl) { measures.insert(.setsAutomatic) }
    if says.contains(.enhancedControl) { control.insert(.restricted) }
    if facts.has(.returnControl), says.contains(.returnsRestricted) { control.insert(.returnsOnly) }
    if facts.has(.historyControl), affected.contains(.history) { control.insert(.noHistory) }
    // Where it is there it is written, so that what a guest's is changed back to is what it was before.
    measures.set(.setsControl, to: !(control | facts.control).isEmpty)
    if facts.identity.vendor == .amd { planReturns(facts) }
  }

  /// AMD's processors may take any RET of ring 0 for a branch that others have trained, whatever is on the return stack.
  private mutating func planReturns(_ facts: SpeculationFacts) {
    let found = affected & (.returns | .returnStack)
    guard !found.isEmpty else { return }
    if found == .returnStack, facts.has(.keepsKernelReturns), facts.has(.reducesReturns) {
      measures.insert(.setsReduced)
      return
    }
    // From Zen 3 on a barrier forgets the types of branches only with the microcode that says so.
    let forgetsTypes = facts.identity.family < 0x19 || facts.has(.barrierForgetsTypes)
    guard measures.contains(.forgetsBranches), forgetsTypes else {
      open.insert(found)
      return
    }
    measures.insert(.forgetsAtExit)
    // Components that were taken over train what their system calls then return by.
    if !facts.has(.keepsKernelReturns) { open.insert(found) }
  }

  private mutating func planBuffers(_ facts: SpeculationFacts) {
    let says = facts.capabilities
    let clears = facts.has(.clearsBuffers)
    var cleared: Vulnerabilities = .none
    if clears { cleared.insert(.buffers | .aborts) }
    // VERW that empties what MDS reads from empties fill buffers, too.
    if says.contains(.clearsFillBuffers) || (clears && affected.contains(.buffers)) { cleared.insert(.staleData) }
    if says.contains(.clearsRegisterFile) { cleared.insert(.registerFile) }
    if facts.has(.amdClearsBuffers) { cleared.insert(.scheduling) }
    if says.contains(.transactionControl), affected.contains(.aborts) {
      measures.insert(.stopsTransactions)
      cleared.insert(.aborts)
    }
    let all: Vulnerabilities = .buffers | .aborts | .staleData | .registerFile | .scheduling
    let found = affected & all
    open.insert(Vulnerabilities(rawValue: found.rawValue & ~cleared.rawValue))
    let byVERW = found & cleared
    measures.set(
      .clearsBuffers,
      to: !byVERW.isEmpty && !(byVERW == .aborts && measures.contains(.stopsTransactions)))
  }

  private mutating func planOther(_ facts: SpeculationFacts) {
    let says = facts.capabilities
    // Tables of components map what the kernel maps: what components have, but no guest's memory.
    open.insert(affected & .meltdown)
    if affected.contains(.terminalFault), !says.contains(.needsNoL1Flush) {
      if facts.has(.flushesL1) { measures.insert(.flushesL1) } else { open.insert(.terminalFault) }
    }
    measures.set(.clearsVectors, to: affected.contains(.lazyState))
    measures.set(
      .clearsPointers,
      to: facts.identity.vendor == .amd && !facts.isTranslated && !facts.has(.restoresPointers))
    measures.set(.setsBackup, to: affected.contains(.vectorRegisters))
    measures.set(.mapsSmall, to: affected.contains(.pageSizes))
    if affected.contains(.gather), !says.contains(.gatherControl) { open.insert(.gather) }
    if affected.contains(.randomNumbers), !facts.has(.randomControl) { open.insert(.randomNumbers) }
    let shared: Vulnerabilities = .terminalFault | .buffers | .staleData | .registerFile | .scheduling
    let aborts = affected.contains(.aborts) && !measures.contains(.stopsTransactions)
    let returns = facts.identity.vendor == .amd && affected.contains(.returns)
    leaksBetweenThreads = affected.intersects(shared) || aborts || returns
  }
}
