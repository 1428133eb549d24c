// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import CX86
import Processors
import Synchronization
import Virtualisation
import X86

/// All there is, set up at boot: tables whose length never changes again. Copies share the tables.
struct Kernel {
  let domains: Table<Domain>
  /// The thread of domain n is thread n.
  let threads: Table<Thread>
  let virtualCPUs: Table<VirtualCPU>
  let cores: Table<Core>
  let lines: Table<InterruptLine>
  let interrupts: InterruptControllers
  let features: ProcessorFeatures
  /// The vendor's virtualisation.
  let support: GuestSupport
  /// What components read of the machine.
  let information: Cell<SystemInformation>
  /// The kernel's own address space.
  let space: AddressSpace
  /// What is known of errors of the machine, for who meets them.
  let checks: MachineChecks
  /// The way to configuration space of PCI.
  let access: BusAccess
  /// All PCI functions that were found.
  let functions: Table<PCIFunction>
  /// The devices of guests.
  let passed: Table<PassedFunction>
  /// Whose requests come from where.
  let owners: Table<DeviceOwner>
  /// The IOMMUs, together one; none if the machine has none that works.
  let remapping: Table<Remapping>

  /// What CR3 holds for a domain.
  @inline(__always)
  func root(of index: Int) -> PagingRoot {
    SpaceNumbers(isPossible: features.hasSpaceNumbers, domainCount: domains.count)
      .root(ofDomain: index, domains[index].space.root)
  }

  /// Raises `bits` for a thread, wherever it is.
  func raise(_ bits: Notifications, for index: Int, from core: Int) {
    let before = note(bits, for: index)
    let owner = threads[index].core
    cores[owner].wasCalled.store(true, ordering: .sequentiallyConsistent)
    guard owner != core, !before.contains(bits),
      threads[index].needsWake.load(ordering: .sequentiallyConsistent)
    else { return }
    interrupts.wake(cores[owner].apicID)
  }

  /// Interrupts the guest at a channel's end, if it runs and its VMM has a vector for this message.
  /// - Returns: Whether it is interrupted; else nothing has changed.
  func post(message: Int, to end: ChannelEnd) -> Bool {
    guard let number = threads[end.thread].virtualCPU else { return false }
    let slot = end.notification.rawValue.trailingZeroBitCount
    switch virtualCPUs[number].processor.post(message, ofSlot: slot) {
    case .refused: return false
    case .posted(let mustAnnounce):
      if mustAnnounce { interrupts.announcePosted(cores[threads[end.thread].core].apicID) }
      domains[end.thread].status.value.posted &+= 1
      return true
    }
  }

  /// Adds to a thread's notifications.
  /// - Returns: Those that it had.
  @discardableResult
  func note(_ bits: Notifications, for index: Int) -> Notifications {
    domains[index].status.value.notifications &+= 1
    return Notifications(
      rawValue: threads[index].notifications.bitwiseOr(bits.rawValue, ordering: .sequentiallyConsistent).oldValue)
  }

  /// Asks a thread's core to stop or restart it.
  func request(_ request: ThreadRequests, of index: Int, from core: Int) {
    threads[index].requests.bitwiseOr(request.rawValue, ordering: .sequentiallyConsistent)
    let owner = threads[index].core
    cores[owner].wasCalled.store(true, ordering: .sequentiallyConsistent)
    if owner != core { interrupts.wake(cores[owner].apicID) }
  }

  /// Tells those that control domains that one of them changed its state.
  func announceChange(from core: Int) {
    for index in 0..<domains.count where domains[index].traits.contains(.controlsDomains) {
      raise(.lifecycle, for: index, from: core)
    }
  }

  /// Tells those that show the log that it has a new line.
  func announceLog(from core: Int) {
    for index in 0..<domains.count where domains[index].traits.contains(.showsLog) {
      raise(.log, for: index, from: core)
    }
  }
}
