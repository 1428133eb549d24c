// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// The control words that guests run with on this processor: what they need, and what of the rest it has.
package struct VMXControls: Sendable {
  package let revision: UInt32
  package let pin: UInt32
  /// Without the interrupt window, which comes and goes.
  package let processor: UInt32
  package let secondary: UInt32
  package let exit: UInt32
  /// Without long mode, which the guest comes to by itself.
  package let entry: UInt32
  /// Whether translations carry a guest's number, and so outlast its exits.
  package let hasIdentifiers: Bool
  /// Whether nested page tables have pages of 1 GiB; those of 2 MiB all have.
  package let hasHugePages: Bool
  package let hasLargePages: Bool
  /// Whether one guest's translations can be forgotten without those of all others.
  package let forgetsOne: Bool
  package let describesStrings: Bool
  /// What has a guest leave at the end of its turn; `nil` where that takes an interrupt of the machine.
  package let timer: VMXTimer?
  /// Whether an interrupt that must wait reaches the guest with no exit; else by an exit when its window opens.
  package let deliversInterrupts: Bool
  /// Whether the processor knows of a guest that still handles an NMI; where it does not, guests get none.
  package var tracksNonMaskable: Bool { pin & PinControl.virtualNonMaskable.mask != 0 }
  /// What is added to `secondary` for a guest whose local APIC the processor shares; 0 where it cannot.
  package let sharing: UInt32
  /// What is added to `pin` for such a guest, to which other cores then post interrupts; 0 where they cannot. Where they
  /// can, an exit for an interrupt of the machine takes it.
  package let posting: UInt32
  /// What a guest may do with CR0, CR4 and EFER.
  package let cr0: ControlRule
  package let cr4: ControlRule
  package let efer = ControlRule.vmxEFER

  /// - Throws: The first thing that is missing.
  package init(_ capabilities: VMXCapabilities) throws(VMXObstacle) {
    let timer = VMXTimer(capabilities)
    let (pin, hasTimer) = try Self.pin(capabilities.pin, wantsTimer: timer != nil)
    self.pin = pin
    self.timer = hasTimer ? timer : nil
    processor = try Self.processor(capabilities.processor)
    (secondary, hasIdentifiers, deliversInterrupts) = try Self.secondary(capabilities.secondary)
    var shared = ControlWord(capabilities.secondary)
    sharing =
      deliversInterrupts && shared.prefer(SecondaryControl.extendedAPIC) ? SecondaryControl.extendedAPIC.mask : 0
    var posts = ControlWord(capabilities.pin)
    var takes = ControlWord(capabilities.exit)
    let canPost =
      sharing != 0 && posts.prefer(PinControl.postedInterrupts) && takes.prefer(ExitControl.takeInterrupt)
    posting = canPost ? PinControl.postedInterrupts.mask : 0
    exit = try Self.exit(capabilities.exit, takesInterrupts: canPost)
    entry = try Self.entry(capabilities.entry)
    // A.10: bit 6 four levels, 14 write-back, 16 and 17 large and huge pages, 20 INVEPT of 25 one or 26 all.
    let paging = capabilities.paging
    guard paging & (1 << 6 | 1 << 14) == 1 << 6 | 1 << 14 else { throw .pageTables }
    guard paging & 1 << 20 != 0, paging & (1 << 25 | 1 << 26) != 0 else { throw .invalidation }
    hasLargePages = paging & 1 << 16 != 0
    hasHugePages = hasLargePages && paging & 1 << 17 != 0
    forgetsOne = paging & 1 << 25 != 0
    revision = capabilities.revision
    describesStrings = capabilities.describesStrings
    cr0 = .vmxCR0(fixed: capabilities.fixedCR0)
    cr4 = .vmxCR4(fixed: capabilities.fixedCR4)
  }

  /// What is used of what not every processor has, and what is done in its place.
  package var line: LogLine {
    let timer: StaticString = timer == nil ? "an interrupt of the machine" : "the preemption timer"
    let delivery: StaticString =
      sharing != 0 ? "and ended with no exit" : deliversInterrupts ? "with no exit" : "by an exit"
    return "VMX: a guest's turn is ended by \(timer), interrupts that wait are delivered \(delivery)"
  }

  /// What more there is where interrupts are posted; `nil` where they are not.
  package var postingLine: LogLine? {
    posting != 0 ? "VMX: interrupts of other cores reach a guest that runs with no exit" : nil
  }

  private static func pin(_ capability: UInt64, wantsTimer: Bool) throws(VMXObstacle) -> (UInt32, hasTimer: Bool) {
    var word = ControlWord(capability)
    try word.require(exitsOf: .pin)
    try word.forbid(PinControl.postedInterrupts)
    word.prefer(PinControl.virtualNonMaskable)
    let hasTimer = wantsTimer && word.prefer(PinControl.timer)
    if !hasTimer { try word.forbid(PinControl.timer) }
    return (word.value, hasTimer)
  }

  private static func processor(_ capability: UInt64) throws(VMXObstacle) -> UInt32 {
    var word = ControlWord(capability)
    try word.require(exitsOf: .processor)
    try word.require(ProcessorControl.offsetTSC)
    try word.require(ProcessorControl.shadowPriority)
    try word.require(ProcessorControl.secondary)
    var window = word
    try window.require(ProcessorControl.interruptWindow)
    try word.forbid(ProcessorControl.interruptWindow)
    try word.forbidExits()
    return word.value
  }

  private static func secondary(
    _ capability: UInt64
  ) throws(VMXObstacle) -> (UInt32, hasIdentifiers: Bool, deliversInterrupts: Bool) {
    var word = ControlWord(capability)
    try word.require(SecondaryControl.nestedPaging)
    try word.require(SecondaryControl.unrestricted)
    try word.require(exitsOf: .secondary)
    // A processor without the control has not the instruction either, and CPUID says so to guests.
    word.prefer(SecondaryControl.readTSCP)
    word.prefer(SecondaryControl.invalidateContext)
    let hasIdentifiers = word.prefer(SecondaryControl.identifiers)
    let deliversInterrupts = word.prefer(SecondaryControl.deliverInterrupts)
    return (word.value, hasIdentifiers, deliversInterrupts)
  }

  private static func exit(_ capability: UInt64, takesInterrupts: Bool) throws(VMXObstacle) -> UInt32 {
    var word = ControlWord(capability)
    try word.require(ExitControl.saveDebug)
    try word.require(ExitControl.longMode)
    try word.require(ExitControl.savePAT)
    try word.require(ExitControl.loadPAT)
    try word.require(ExitControl.saveEFER)
    try word.require(ExitControl.loadEFER)
    if takesInterrupts { word.prefer(ExitControl.takeInterrupt) } else { try word.forbid(ExitControl.takeInterrupt) }
    return word.value
  }

  private static func entry(_ capability: UInt64) throws(VMXObstacle) -> UInt32 {
    var word = ControlWord(capability)
    try word.require(EntryControl.loadDebug)
    try word.require(EntryControl.loadPAT)
    try word.require(EntryControl.loadEFER)
    var long = word
    try long.require(EntryControl.longMode)
    try word.forbid(EntryControl.longMode)
    return word.value
  }
}
