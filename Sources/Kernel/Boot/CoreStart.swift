// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import Firmware
import Synchronization
import X86

/// What a core is told when it starts.
struct CoreLaunch {
  let kernel: Kernel
  let memory: CoreMemory
  let gates: PhysicalAddress
  let clock: Clock
  let index: Int
}

/// Starting the machine's other cores (Intel SDM volume 3, §8.4; AMD APM volume 2, §16.5).
enum CoreStart {
  /// Starts the core of `launch` and waits up to a second for it.
  ///
  /// - Parameter page: A page below 1 MiB that nothing else uses.
  /// - Returns: Whether the core runs.
  static func start(_ launch: Cell<CoreLaunch>, page: PhysicalAddress) -> StartOutcome {
    let core = launch.value.kernel.cores[launch.value.index].apicID
    writeTrampoline(launch, page)
    let apic = launch.value.kernel.interrupts.local
    let frequency = launch.value.clock.tscFrequency
    apic.send(0xC500, to: core)
    wait(frequency / 100)
    apic.send(0x8500, to: core)
    for _ in 0..<2 {
      apic.send(0x0600 | UInt32(page.value >> 12), to: core)
      let start = cx86_rdtsc()
      while cx86_rdtsc() &- start < frequency / 2 {
        if launch.value.kernel.cores[launch.value.index].hasStarted.load(ordering: .acquiring) { return .running }
        cx86_pause()
      }
    }
    return .silent
  }

  private static func wait(_ ticks: UInt64) {
    let start = cx86_rdtsc()
    while cx86_rdtsc() &- start < ticks { cx86_pause() }
  }

  private static func writeTrampoline(_ launch: Cell<CoreLaunch>, _ page: PhysicalAddress) {
    let start = cx86_trampoline_address()
    let size = cx86_trampoline_end_address() - start
    let words = cx86_trampoline_words(
      pageTable: DirectMap.physical(ofKernel: cx86_boot_page_table_address()).value,
      stackTop: DirectMap.base + launch.value.memory.stack.value + KernelSpace.stackSize,
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
    // SAFETY: assembly passes on the address of a `CoreLaunch` of `SystemSetup.launches`, in boot memory, which stays.
    guard let pointer = unsafe UnsafeMutablePointer<CoreLaunch>(bitPattern: UInt(launch)) else { return nil }
    unsafe self.init(unsafePointer: pointer)
  }
}

/// Where a core arrives in Swift: from the trampoline, or from boot for the first one.
@c(kernel_core_start)
func kernelCoreStart(_ launch: UInt64) {
  guard let start = Cell(launch: launch) else { return }
  let memory = start.value.memory
  let kernel = start.value.kernel
  CoreSetup.enter(
    memory, gates: start.value.gates, features: kernel.features, support: kernel.support,
    space: kernel.space)
  kernel.interrupts.local.enable(usesDeadline: start.value.clock.timerRatio == 0)
  let index = start.value.index
  kernel.cores[index].timer = CoreTimer(apic: kernel.interrupts.local, ratio: start.value.clock.timerRatio)
  kernel.cores[index].fullSlice = start.value.clock.tscFrequency / 200
  kernel.cores[index].hasStarted.store(true, ordering: .releasing)
  cx86_switch_stack(CoreMemory.stackTop(index), launch)
}

/// A core's life, on its own stack.
@c(kernel_core_run)
func runCore(_ launch: UInt64) {
  guard let start = Cell(launch: launch) else { return }
  let kernel = start.value.kernel
  let index = start.value.index
  if panicState.isTest.load(ordering: .relaxed) { provokePanic() }
  for place in 0..<kernel.cores[index].threads.count {
    kernel.cores[index].start(kernel.cores[index].threads[place], kernel)
  }
  kernel.cores[index].run(kernel)
}
