// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Processors
import Synchronization
import X86
import _Volatile

/// What a panic needs and cannot be handed: set once at boot, by the first core.
struct PanicState: ~Copyable {
  /// The kernel's own symbols; none until the boot image was read.
  private let symbolsStart = Atomic<UInt64>(0)
  private let symbolsSize = Atomic<UInt64>(0)
  /// How to end the emulator: the port of QEMU's isa-debug-exit; 0 outside tests.
  let exitPort = Atomic<UInt16>(0)
  /// Whether the machine restarts then, and how its firmware wants that: the port, 0 if it names none, and the value.
  let mustReboot = Atomic<Bool>(false)
  let resetPort = Atomic<UInt16>(0)
  let resetValue = Atomic<UInt8>(0)
  /// Whether a core panics once it runs: `panic-test`.
  let isTest = Atomic<Bool>(false)

  var symbols: PhysicalExtent {
    let size = symbolsSize.load(ordering: .acquiring)
    return PhysicalExtent(start: PhysicalAddress(symbolsStart.load(ordering: .relaxed)), size: size)
  }

  /// The kernel's symbols are in `extent`, a file of the boot image.
  func keep(symbols extent: PhysicalExtent) {
    symbolsStart.store(extent.start.value, ordering: .relaxed)
    symbolsSize.store(extent.size, ordering: .releasing)
  }
}

let panicState = PanicState()

/// Set by the first core that panics: the others stop.
private let hasPanicked = Atomic<Bool>(false)

/// A trap in the kernel itself, from entry.S.
@c(kernel_trap)
func kernelTrap(_ frame: UnsafeMutablePointer<cx86_frame>) {
  // SAFETY: entry.S passes the registers it has just saved.
  let registers = unsafe frame.pointee
  beginPanic()
  say("kernel panic: \(exceptionName(registers.vector)) (vector \(registers.vector), error \(hex: registers.error))")
  if registers.vector == 14 { say("  touched \(hex: cx86_read_cr2())") }
  say("  rip \(hex: registers.rip) rsp \(hex: registers.rsp) rflags \(hex: registers.rflags)")
  say("  cr3 \(hex: cx86_read_cr3())")
  say("  rax \(hex: registers.rax) rbx \(hex: registers.rbx) rcx \(hex: registers.rcx) rdx \(hex: registers.rdx)")
  say("  rsi \(hex: registers.rsi) rdi \(hex: registers.rdi) rbp \(hex: registers.rbp) r8  \(hex: registers.r8)")
  say("  r9  \(hex: registers.r9) r10 \(hex: registers.r10) r11 \(hex: registers.r11) r12 \(hex: registers.r12)")
  say("  r13 \(hex: registers.r13) r14 \(hex: registers.r14) r15 \(hex: registers.r15)")
  BackTrace.walk(
    from: registers.rip, framePointer: registers.rbp, symbols: panicState.symbols, read: readOwn
  ) { say($0) }
  endPanic()
}

/// The machine cannot go on after a machine check: all banks of this core, and why.
func panicForErrors(
  on core: Int, _ rules: MachineCheckRules, _ global: MachineCheckGlobal, _ cause: MachineCheckCause
) -> Never {
  beginPanic()
  say("kernel panic: machine check on core \(core) (MCG_STATUS \(hex: global.rawValue))")
  say("  \(cause.sentence)")
  ErrorBanks.each(rules) { bank in
    say(bank.line(core: core, rules))
    say(bank.registers)
    if let kernel = trapState.kernel?.value, let (address, size) = bank.memory(rules),
      let guest = kernel.checks.guest(at: address, size: size)
    {
      say("  memory of \(kernel.domains[guest.domain].name), guest address \(hex: guest.address)")
    }
  }
  endPanic()
}

/// One core speaks; the others, when they come here too, stop in silence.
private func beginPanic() {
  cx86_disable_interrupts()
  if hasPanicked.exchange(true, ordering: .acquiring) { cx86_halt_forever() }
  // Other cores run, and device registers are mapped, only once the boot image was read.
  if panicState.symbols.size > 0 { LocalAPIC.own.stopOthers() }
  kernelLog.takeBack()
}

/// Each line is put together in a frame of its own: the stacks of traps are small.
@inline(never)
private func say(_ line: @autoclosure () -> LogLine) { kernelLog.show(line(), name: "roost") }

/// A word of the kernel's own data or stacks.
private func readOwn(_ address: UInt64) -> UInt64? {
  let space = AddressSpace(root: PagingRoot(value: cx86_read_cr3()).tables)
  guard address.isAligned(to: 8), address >= DirectMap.kernelBase,
    space.translate(address, requiring: .present) != nil
  else { return nil }
  // SAFETY: the page table leads there, from the slot that holds nothing but the kernel's image and stacks.
  guard let word = unsafe UnsafeRawPointer(bitPattern: UInt(address)) else { return nil }
  return unsafe word.load(as: UInt64.self)
}

private func endPanic() -> Never {
  if panicState.mustReboot.load(ordering: .relaxed) {
    say("the machine restarts, as the description wants it (on-panic)")
    restartMachine()
  }
  say("the machine has stopped; press its reset button")
  stopMachine()
}

/// Nothing more happens on this core; an emulator that wants to know is told.
func stopMachine() -> Never {
  let port = panicState.exitPort.load(ordering: .relaxed)
  if port != 0 { cx86_out32(port, 0x20) }
  cx86_halt_forever()
}

/// Restarts the machine as its firmware says; if that does nothing, as chipsets have it (reset control at 0xCF9), as the
/// keyboard controller did, and at last by a triple fault.
private func restartMachine() -> Never {
  // What was written to a UART last is still on its way.
  pauseBriefly()
  let port = panicState.resetPort.load(ordering: .relaxed)
  if port != 0 {
    cx86_out8(port, panicState.resetValue.load(ordering: .relaxed))
    pauseBriefly()
  }
  cx86_out8(0xcf9, 0x02)
  cx86_out8(0xcf9, 0x06)
  pauseBriefly()
  cx86_out8(0x64, 0xfe)
  pauseBriefly()
  cx86_triple_fault()
}

/// A tenth of a second or so: reading this port takes a microsecond on a PC, and counts without a clock.
private func pauseBriefly() {
  for _ in 0..<100_000 { _ = cx86_in8(0x80) }
}

/// Writes where the kernel may not: its own code.
@inline(never)
func provokePanic() {
  // SAFETY: not safe at all: the page is read-only, and the trap is what the test wants to see.
  unsafe VolatileMappedRegister<UInt64>(unsafeBitPattern: UInt(KernelSpace.layout.text)).store(0)
}
