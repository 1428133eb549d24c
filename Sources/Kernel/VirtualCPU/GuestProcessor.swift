// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Processors
import Speculation
import Virtualisation
import X86

/// What the kernel needs of a processor's virtualisation: the one interface to either vendor's.
///
/// The state between exits is the VMM's page; a processor moves it to and from the hardware's own structure, and lets
/// nothing of it reach beyond the guest.
///
/// What runs at each exit is mutating, changed or not: a call that borrows a processor copies it first.
protocol GuestProcessor {
  /// Takes over what the VMM may have changed: general and control registers, injection; segments if it says so.
  mutating func load(_ state: inout VirtualCPUState)
  /// Runs the guest with `registers` until an exit; until `deadline`, where guests leave by themselves
  /// (`GuestSupport.hasGuestTimer`).
  mutating func run(_ registers: Cell<VirtualCPUState>, _ host: HostReturn, until deadline: UInt64)
  /// Whether an emulated machine may lose one of its own interrupts when the guest enters as it is now.
  var mayLoseInterrupt: Bool { get }
  /// Why the guest stopped; `nil` if that was the kernel's own affair (an interrupt of the machine, the end of a turn).
  func exitReason() -> ExitReason?
  /// The interrupt of the machine that the exit has taken from the core's controller; `nil` if it did not, and one may
  /// wait.
  func takenInterrupt() -> UInt64?
  /// Interrupts the guest by the vector that its VMM gave for message `message` of channel `slot`. Any core may call
  /// this, at any time.
  func post(_ message: Int, ofSlot slot: Int) -> PostedAnswer
  /// The port of the OUT that the guest left for; `nil` if it left for anything else, OUTS included.
  func writtenPort() -> UInt16?
  /// Whether the guest steps, or has a breakpoint held off: what the end of an instruction then does, a VMM does.
  func endsInTrap() -> Bool
  /// Has the guest go on after that OUT.
  func skipPortWrite()
  /// Whether the guest left, or was not entered, because the machine found an error, as far as the exit tells.
  var metMachineCheck: Bool { get }
  /// Gives the VMM the guest's state, as far as `reason` needs it.
  mutating func store(_ reason: ExitReason, in state: inout VirtualCPUState)
  /// Forgets all translations of the guest's addresses.
  func forgetTranslations()
  /// Forgets all translations and pending events of the guest, and the registers that only it writes.
  mutating func reset()
}

/// What an exit comes back to, besides the kernel's own code.
struct HostReturn {
  /// Where those registers of the host are that guests have values of their own for.
  var state: PhysicalAddress
  /// The address space: the VMM's, which most exits end in. It is in CR3 before the entry, since an exit that loads CR3
  /// with other tables would leave the processor with the translations of those before, wherever these outlast an exit.
  var space: PagingRoot
  /// What is done against the guest's predictions after the exit, where that is not the exit's own way.
  var atExit = Measures.none
}

extension ExitReason {
  /// Whether the processor may have met an error of the machine's, which it tells of in this way too.
  @inline(__always)
  var mayBeMachineCheck: Bool { self == .shutdown || self == .invalidState }
}
