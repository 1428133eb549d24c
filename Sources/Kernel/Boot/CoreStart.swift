// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Firmware
import Processors
import Speculation
import Synchronization
import X86

// The booting core starts the others before it makes the domains: which of them answer decides who runs where.
//
//   INIT, start-up message ──► trampoline ──► kernelCoreStart: hasArrived ──► runCore: sleeps until isReleased ──► Core.run
//
// Those that nobody uses are started once, too, and sleep for good (`CoreParking`).
//
// One that does not arrive in time is sent back to where it waits for a start-up message, so that it does not wake up
// later on memory that is somebody else's by then.

/// What all cores have alike.
struct CoreCommon {
  /// The interrupt descriptor table.
  let gates: PhysicalAddress
  let clock: Clock
  let features: ProcessorFeatures
  let support: GuestSupport
  let space: AddressSpace
  let local: LocalAPIC
  let rules: MachineCheckRules
  let descriptors: CoreDescriptors
  let topology: Cell<Topology>
}

/// What a core is told when it starts: written by the booting core, and `kernel` before it `isReleased`.
struct CoreLaunch: ~Copyable {
  let index: Int
  /// Whether it has nothing to run.
  let isParked: Bool
  var apicID: UInt32
  let memory: CoreMemory
  let common: CoreCommon
  var kernel: Cell<Kernel>?
  /// What it does about speculation, which it asked itself.
  var plan: SpeculationPlan?
  /// Set by the core itself.
  let hasArrived = Atomic<Bool>(false)
  /// Whether it may run its threads.
  let isReleased = Atomic<Bool>(false)

  init(index: Int, apicID: UInt32, memory: CoreMemory, common: CoreCommon, isParked: Bool = false) {
    self.index = index
    self.isParked = isParked
    self.apicID = apicID
    self.memory = memory
    self.common = common
  }
}

/// Starting the machine's other cores (Intel SDM volume 3, §8.4; AMD APM volume 2, §16.5).
struct CoreStart {
  /// A page below 1 MiB that nothing else uses.
  let page: PhysicalAddress
  /// Cores that are sent no start-up message, as if they were broken, for tests.
  let mute: CoreSet

  /// Starts the core of `launch` and waits up to a second for it.
  func start(_ launch: Cell<CoreLaunch>) -> StartOutcome {
    let core = launch.value.apicID
    let apic = launch.value.common.local
    let frequency = launch.value.common.clock.tscFrequency
    initialise(core, apic, frequency)
    return startInitialised(launch)
  }

  /// Starts a core that waits for its start-up message.
  func startInitialised(_ launch: Cell<CoreLaunch>) -> StartOutcome {
    let core = launch.value.apicID
    let apic = launch.value.common.local
    let frequency = launch.value.common.clock.tscFrequency
    writeTrampoline(launch)
    for _ in 0..<2 {
      if !mute.contains(launch.value.index) { apic.send(0x0600 | UInt32(page.value >> 12), to: core) }
      let start = cx86_rdtsc()
      while cx86_rdtsc() &- start < frequency / 2 {
        if launch.value.hasArrived.load(ordering: .acquiring) { return .running }
        cx86_pause()
      }
    }
    initialise(core, apic, frequency)
    return .silent
  }

  /// Has a core wait for a start-up message.
  private func initialise(_ core: UInt32, _ apic: LocalAPIC, _ frequency: UInt64) {
    apic.send(0xC500, to: core)
    let start = cx86_rdtsc()
    while cx86_rdtsc() &- start < frequency / 100 { cx86_pause() }
    apic.send(0x8500, to: core)
  }

  /// Has the first `count` of these wait for their start-up messages.
  func initialise(_ launches: Table<CoreLaunch>, first count: Int) {
    guard count > 0 else { return }
    let apic = launches[0].common.local
    for place in 0..<count { apic.send(0xC500, to: launches[place].apicID) }
    let start = cx86_rdtsc()
    while cx86_rdtsc() &- start < launches[0].common.clock.tscFrequency / 100 { cx86_pause() }
    for place in 0..<count { apic.send(0x8500, to: launches[place].apicID) }
  }

  private func writeTrampoline(_ launch: Cell<CoreLaunch>) {
    let start = cx86_trampoline_address()
    let size = cx86_trampoline_end_address() - start
    let words = cx86_trampoline_words(
      pageTable: DirectMap.physical(ofKernel: cx86_boot_page_table_address()).value,
      stackTop: DirectMap.base + launch.value.memory.stack.value + launch.value.memory.stackSize,
      launch: launch.address,
      entry: cx86_core_entry_address())
    // SAFETY: the trampoline lies in the kernel's image; it is smaller than the page, which nothing else uses, and its
    // last words are those it reads.
    guard let code = unsafe UnsafeRawPointer(bitPattern: UInt(start)) else { return }
    let target = unsafe DirectMap.pointer(page)
    unsafe target.copyMemory(from: code, byteCount: Int(size))
    unsafe target.storeBytes(
      of: words, toByteOffset: Int(size) - MemoryLayout<cx86_trampoline_words>.size, as: cx86_trampoline_words.self)
  }
}

/// What became of a core that was started.
enum StartOutcome {
  case running, silent
}

extension Cell where Value == CoreLaunch {
  /// The launch whose address came through assembly.
  fileprivate init?(launch: UInt64) {
    // SAFETY: assembly passes on the address of a `CoreLaunch` of `CoreTable.launches`, in boot memory, which stays.
    guard let pointer = unsafe UnsafeMutablePointer<CoreLaunch>(bitPattern: UInt(launch)) else { return nil }
    unsafe self.init(unsafePointer: pointer)
  }
}

/// Where a core arrives in Swift: from the trampoline, or from boot for the first one.
@c(kernel_core_start)
func kernelCoreStart(_ launch: UInt64) {
  guard let start = Cell(launch: launch) else { return }
  let common = start.value.common
  let memory = start.value.memory
  if start.value.isParked {
    CoreSetup.enterParked(memory, gates: common.gates, features: common.features, space: common.space)
  } else {
    let plan = SpeculationPlan(.ofThisProcessor)
    start.value.plan = plan
    CoreSetup.enter(
      memory, gates: common.gates, features: common.features, support: common.support, plan: plan,
      space: common.space)
    common.local.enable(
      usesDeadline: common.clock.timerRatio == 0, LocalInputs(common.topology.value, of: start.value.apicID))
  }
  ErrorBanks.enable(common.rules) { bank in
    log(.warning, "found at boot: \(bank.line(core: start.value.index, common.rules))")
    log(.warning, bank.registers)
  }
  start.value.hasArrived.store(true, ordering: .releasing)
  cx86_switch_stack(CoreMemory.stackTop(start.value.index), launch)
}

/// A core's life, on its own stack.
@c(kernel_core_run)
func runCore(_ launch: UInt64) {
  guard let start = Cell(launch: launch) else { return }
  if start.value.isParked { CoreParking.sleep(start.value.index) }
  let common = start.value.common
  while !start.value.isReleased.load(ordering: .acquiring) {
    let vector = cx86_wait_for_interrupt()
    if vector == Vectors.stop { cx86_halt_forever() }
    if vector != 0, vector != Vectors.spurious { common.local.end() }
  }
  // What was made read-only since.
  cx86_write_cr3(common.space.root.value)
  guard let kernel = start.value.kernel?.value else { return }
  let index = start.value.index
  let slice = common.clock.tscFrequency / 200
  kernel.cores[index].timer = CoreTimer(
    apic: common.local, ratio: common.clock.timerRatio, patience: common.support.hasGuestTimer ? slice / 4 : 0)
  kernel.cores[index].fullSlice = slice
  if let plan = start.value.plan { kernel.cores[index].occupancy = CoreOccupancy(plan) }
  if panicState.isTest.load(ordering: .relaxed) { provokePanic() }
  for place in 0..<kernel.cores[index].threads.count {
    let thread = kernel.cores[index].threads[place]
    if kernel.domains[thread].hasCore { kernel.cores[index].start(thread, kernel) }
  }
  kernel.cores[index].run(kernel)
}
