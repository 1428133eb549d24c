// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// Some processors do the work of a local APIC while its guest runs, for guests in x2APIC mode: they deliver what is
// requested, and hear the guest's ends of interrupts, with no exit. Then the sets of the model are the processor's from
// entry to exit; between those they are the model's, which raises and looks as ever. KVM's paravirtual end of interrupt
// is left off meanwhile: a write to the register costs no exit either, and the next interrupt comes with it.

/// The sets of vectors of a local APIC that its processor shares.
package struct SharedVectors {
  package let requests: InlineArray<4, UInt64>
  package let inService: InlineArray<4, UInt64>
  /// Those whose end the machine wants to hear of.
  package let noticedEnds: InlineArray<4, UInt64>
}

extension PC {
  /// Whether the processor has the local APIC's sets on the next entry.
  @inline(__always)
  package var sharesLocalAPIC: Bool { canShareLocalAPIC && apic.isExtended && apic.isEnabled }

  /// Whether the interrupt that was last offered is in those sets.
  @inline(__always)
  package var isOfferShared: Bool {
    guard sharesLocalAPIC, case .local = offer else { return false }
    return true
  }

  /// What the processor is to have. Of an edge's end nobody needs to hear, unless another tick waits for it.
  package var sharedVectors: SharedVectors {
    let isEndWanted = owesTick || apic.timerBacklog > 0
    return SharedVectors(
      requests: apic.requests.words, inService: apic.inService.words,
      noticedEnds: isEndWanted ? InlineArray(repeating: .max) : apic.levelTriggered.words)
  }

  /// The guest has left, and these are the sets. Comes before all else after an exit.
  package mutating func takeShared(requests: InlineArray<4, UInt64>, inService: InlineArray<4, UInt64>) {
    apic.requests = VectorSet(requests)
    apic.inService = VectorSet(inService)
  }

  /// The guest has ended an interrupt whose end was wanted; it is in service no more.
  package mutating func interruptEnded(_ vector: UInt8) {
    if apic.ended(vector) { carryOut(.endOfInterrupt(vector)) }
    apicChanged()
  }
}
