// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Processors
import Synchronization
import X86

/// A non-maskable interrupt, from entry.S, wherever the core was: it is counted for the core's loop, and all goes on.
@c(kernel_nmi)
func takeNMI(_ frame: UnsafeMutablePointer<cx86_frame>) {
  let status = cx86_in8(NMISource.port)
  let source = NMISource(status: status)
  if let (off, on) = source.acknowledgement(status) {
    cx86_out8(NMISource.port, off)
    cx86_out8(NMISource.port, on)
  }
  guard let kernel = trapState.kernel?.value else { return }
  let core = TrapStack.core(at: UInt64(UInt(bitPattern: frame)))
  kernel.checks.events[core].add(source)
  kernel.callSelf(core)
}

/// A machine check, from entry.S, wherever the core was.
/// - Returns: 0 to go on there; else the frame of the thread, which has trapped.
@c(kernel_machine_check)
func takeMachineCheck(_ frame: UnsafeMutablePointer<cx86_frame>) -> UInt64 {
  // SAFETY: entry.S passes the registers it has just saved.
  let registers = unsafe frame.pointee
  let core = TrapStack.core(at: UInt64(UInt(bitPattern: frame)))
  let isComponent = registers.cs & 3 == 3
  guard MachineCheck.meet(on: core, isComponent ? .component : .kernel) == .stopInterrupted,
    let kernel = trapState.kernel?.value, core < kernel.cores.count, let thread = kernel.cores[core].loaded
  else { return 0 }
  kernel.threads[thread].frame.takeTrap(registers)
  // SAFETY: only the address of the frame is taken; it stays where it is.
  return unsafe withUnsafePointer(to: &kernel.threads[thread].frame) { UInt64(UInt(bitPattern: $0)) }
}

extension cx86_frame {
  /// Takes the registers of ring 3 from where a trap has put them; what else is in the frame is entry.S's own.
  mutating func takeTrap(_ other: cx86_frame) {
    let (stack, rest) = (kernelStack, reserved)
    self = other
    kernelStack = stack
    reserved = rest
  }
}

/// What a core does about a machine check.
enum MachineCheck {
  /// Looks at the core's banks, has VMs stopped whose memory is broken, and notes all of it for the core's loop. Does not
  /// come back if the machine must stop.
  static func meet(on core: Int, _ context: MachineCheckContext) -> MachineCheckDecision {
    let kernel = trapState.kernel?.value
    let rules = kernel?.checks.rules ?? .own
    var worst = MachineCheckSeverity.none
    ErrorBanks.each(rules) { worst = max(worst, $0.severity(rules)) }
    let global = MachineCheckGlobal(rawValue: MSR(MachineCheckRegister.global).value)
    // A guest's shutdown can be a triple fault and nothing of the machine's.
    guard global.contains(.inProgress) else { return .goOn }
    let decision = MachineCheckDecision(worst, global, context)
    if case .stopMachine(let cause) = decision { panicForErrors(on: core, rules, global, cause) }
    if let kernel { note(on: core, decision, rules, kernel) }
    // Last: one more while it is in progress shuts the processor down.
    MSR(MachineCheckRegister.global).value = 0
    kernel?.callSelf(core)
    return decision
  }

  private static func note(
    on core: Int, _ decision: MachineCheckDecision, _ rules: MachineCheckRules, _ kernel: Kernel
  ) {
    let interrupted = decision == .stopInterrupted && core < kernel.cores.count ? kernel.cores[core].loaded : nil
    ErrorBanks.each(rules) { bank in
      if bank.severity(rules) > .corrected, let (address, size) = bank.memory(rules),
        let guest = kernel.checks.guest(at: address, size: size)
      {
        kernel.request(.stop, of: guest.domain, from: core)
      }
      kernel.checks.events[core].add(MetError(bank: bank, wasRaised: true, stopped: interrupted))
      ErrorBanks.clear(bank)
    }
  }
}

extension TrapStack {
  /// The core whose stacks an address is on.
  static func core(at address: UInt64) -> Int { Int((address - KernelSpace.stacks) / KernelSpace.stackStride) }
}

extension Kernel {
  /// Has a core's loop look at what its handlers noted, also if it was just about to sleep. A parked core has no loop: it
  /// looks whenever it wakes.
  func callSelf(_ core: Int) {
    guard core < cores.count else { return }
    cores[core].wasCalled.store(true, ordering: .sequentiallyConsistent)
    interrupts.local.sendToSelf(Vectors.wake)
  }
}
