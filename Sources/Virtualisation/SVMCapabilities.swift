// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
package import Bits

/// What of AMD's SVM a processor has, and what follows from it (AMD APM volume 2, §15; volume 3, CPUID Fn8000_000A).
///
/// Every processor of AMD's since 2010 has all of this; emulators have some. Nothing but nested paging is needed: what is
/// missing is found or done in another way.
package struct SVMCapabilities: Equatable, Sendable {
  /// How a guest's translations are forgotten when it is entered (TLB_CONTROL, §15.16.1).
  package enum Flush: UInt8, Sendable {
    /// Those of all guests and of the host.
    case everything = 1
    /// This guest's.
    case own = 3
  }

  package let hasNestedPaging: Bool
  /// At an exit for an instruction the next one's address is in the VMCB (NRIPS).
  package let hasNextRIP: Bool
  /// At a nested page fault the instruction's bytes are in the VMCB.
  package let hasDecodeAssists: Bool
  /// Translations of one guest can be forgotten.
  package let hasFlushByASID: Bool
  /// VMRUN and exit switch SPEC_CTRL, which guests have in the VMCB (§15.36).
  package let switchesControl: Bool
  /// Numbers for the translations of guests, 0 included, which is the host's.
  package let identifierCount: UInt32

  /// - Parameters:
  ///   - features: edx.
  ///   - identifiers: ebx.
  package init(features: UInt32, identifiers: UInt32) {
    hasNestedPaging = features.bits(0, count: 1) == 1
    hasNextRIP = features.bits(3, count: 1) == 1
    hasFlushByASID = features.bits(6, count: 1) == 1
    hasDecodeAssists = features.bits(7, count: 1) == 1
    switchesControl = features.bits(20, count: 1) == 1
    identifierCount = identifiers
  }

  /// Whether an exit for MOV to a control register says all that there is to know of it.
  package var canSettleMoves: Bool { hasNextRIP && hasDecodeAssists }

  package var flush: Flush { hasFlushByASID ? .own : .everything }

  /// Why guests cannot run here; `nil` if they can.
  package var obstacle: StaticString? {
    guard hasNestedPaging else { return "this processor has SVM but no nested paging" }
    guard identifierCount >= 2 else { return "this processor's SVM has no number for a guest's translations" }
    return nil
  }

  /// What is used, and what is done in its place.
  package var line: LogLine {
    let next: StaticString = hasNextRIP ? "given" : "found by the VMM"
    let bytes: StaticString = hasDecodeAssists ? "given" : "read by the VMM"
    let flush: StaticString = hasFlushByASID ? "one guest's" : "all"
    return "SVM: next instructions are \(next), instruction bytes \(bytes), translations forgotten: \(flush)"
  }
}

extension SVMExit {
  /// Takes over what the VMCB holds besides, as far as the processor fills it in: else those places hold whatever was
  /// there before.
  package mutating func add(
    nextRIP: UInt64, instruction: (low: UInt64, high: UInt64), count: UInt8, _ capabilities: SVMCapabilities
  ) {
    if capabilities.hasNextRIP { self.nextRIP = nextRIP }
    guard capabilities.hasDecodeAssists, reason == .memoryAccess else { return }
    self.instruction = instruction
    instructionCount = count
  }
}
