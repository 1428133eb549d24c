// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Virtualisation
import X86

/// A virtual processor: a thread's second mode.
struct VirtualCPU: ~Copyable {
  /// The page it shares with its VMM. Only its thread's core touches it, between the VMM's own turns.
  let state: Cell<VirtualCPUState>
  let processor: AnyGuestProcessor
  var extended: ExtendedState
  /// The guest's memory.
  let memory: AddressSpace
  /// Where in it the registers of its devices are; `nil` if it has none.
  private(set) var window: DeviceWindow<KernelTables>?

  init(
    state: Cell<VirtualCPUState>, processor: AnyGuestProcessor, extended: consuming ExtendedState, memory: AddressSpace
  ) {
    self.memory = memory
    self.state = state
    self.processor = processor
    self.extended = extended
  }

  /// Sets aside, at boot, what it takes to show `size` more bytes of device registers wherever the guest puts them.
  mutating func makeRoom(forRegisters size: UInt64, from memory: inout BootMemory) throws(BootError) {
    var window = if let window { window } else { try self.memory.deviceWindow(from: &memory) }
    for _ in 0..<window.missingTables(forRegisters: size) { window.add(try memory.page()) }
    self.window = window
  }

  /// Moves pages of device registers about; `nil` is nowhere.
  mutating func move(_ pages: DeviceRegisterPages, from old: UInt64?, to new: UInt64?) {
    if let old { window?.hide(pages, at: old) }
    if let new { window?.show(pages, at: new) }
    processor.forgetTranslations()
  }

  /// As before its first run.
  mutating func reset() {
    state.value = VirtualCPUState()
    processor.reset()
    extended.reset()
  }

  /// What is in the guest's memory is to be nobody's: the VMM clears it before the guest's next life.
  func disownMemory() {
    let mark: Cell<GuestMemoryMark> = BootMemory.place(at: state.physicalAddress + GuestMemoryMark.offset)
    mark.value = GuestMemoryMark()
  }

  /// Looks whether the guest can go on with the VMM's page.
  /// - Throws: if the VMM wants what the machine has not.
  @inline(__always)
  mutating func check() throws(Status) {
    let wanted = state.value.xcr0
    if wanted != extended.selected {
      guard extended.accepts(wanted) else { throw .badArgument }
      extended.selected = wanted
    }
  }

  /// The VMM's page is what the guest goes on with.
  mutating func load() {
    state.value.sleepUntil = 0
    processor.load(&state.value)
  }

  /// Runs the guest until an exit, which is no later than `deadline` where the processor sees to that.
  /// - Returns: Why it stopped; `nil` for the kernel's own affairs.
  @inline(__always)
  mutating func run(_ host: HostReturn, until deadline: UInt64) -> ExitReason? {
    processor.run(state, host, until: deadline)
    extended.noticeSelection()
    return processor.exitReason()
  }

  /// The channel slot that the guest's OUT stands for; `nil` if it left for anything else, or a debugger looks on.
  mutating func kickedSlot() -> Int? {
    guard let port = processor.writtenPort() else { return nil }
    for index in 0..<VirtualCPUState.kickCapacity {
      let range = state.value.kicks[index]
      if range.count == 0 { return nil }
      if range.contains(port) { return processor.endsInTrap() ? nil : Int(range.slot) }
    }
    return nil
  }

  /// The VMM's page is what the guest stopped with.
  mutating func leave(_ reason: ExitReason) {
    processor.store(reason, in: &state.value)
    state.value.xcr0 = extended.selected
  }

  /// Notes the last exit where people can look at it.
  @inline(__always)
  func trace(in status: Cell<DomainStatus>, _ reason: ExitReason) {
    let exit = state.value.exit
    status.value.exitsByReason[Int(reason.rawValue)] &+= 1
    var entry = ExitTrace()
    entry.tsc = cx86_rdtsc()
    entry.rip = state.value.rip
    entry.reason = reason.rawValue
    entry.access = exit.access
    entry.subject =
      switch reason {
      case .portAccess: UInt64(exit.port)
      case .memoryAccess, .endOfInterrupt: exit.address
      case .cpuid: state.value.registers.rax
      case .readMSR, .writeMSR: state.value.registers.rcx
      default: exit.detail
      }
    status.value.trace[Int(status.value.traceCount % 32)] = entry
    status.value.traceCount &+= 1
  }
}
