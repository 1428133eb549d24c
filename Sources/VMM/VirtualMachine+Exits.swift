// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Decoding
import Machine

/// What each exit asks for, and what then happens to the guest's instruction pointer.
extension VirtualMachine {
  /// What becomes of the instruction that left the guest.
  enum Disposition {
    /// It is done; the guest goes on after it, `length` bytes further where the processor does not say.
    case skip(length: UInt64)
    /// One repetition of it is done; the guest goes on with the others.
    case repeats
    /// The guest goes on where it is.
    case resume
    /// It has no such instruction, or no right to it.
    case fault(vector: UInt32, errorCode: UInt32?)
  }

  mutating func handleExit() {
    guard let reason = ExitReason(rawValue: cpu.value.exit.reason) else { stop("the kernel names an unknown exit") }
    switch handle(reason) {
    case .resume: break
    case .skip(let length):
      let next = cpu.value.exit.nextRIP
      cpu.value.rip = next != 0 ? next : cpu.value.rip &+ length
      end(InstructionEnd(flags: cpu.value.rflags, dr6: cpu.value.dr6))
    case .repeats: end(InstructionEnd(flags: cpu.value.rflags, dr6: cpu.value.dr6, isPart: true))
    case .fault(let vector, let errorCode):
      cpu.value.injection.exception = Injection.valid | vector | (errorCode == nil ? 0 : Injection.hasErrorCode)
      cpu.value.injection.errorCode = errorCode ?? 0
    }
  }

  /// An instruction, or a repetition of one, is done. A trap also ends the sleep of HLT.
  private mutating func end(_ end: InstructionEnd) {
    cpu.value.interruptShadow = 0
    cpu.value.rflags = end.flags
    cpu.value.dr6 = end.dr6
    guard end.traps else { return }
    isHalted = false
    cpu.value.injection.exception = Injection.valid | 1
    cpu.value.injection.errorCode = 0
    // As the delivery of #DB would; an injection leaves it (DR7.GD).
    cpu.value.dr7 &= ~(1 << 13)
  }

  private mutating func handle(_ reason: ExitReason) -> Disposition {
    switch reason {
    case .none: return .resume
    case .portAccess: return accessPort()
    case .memoryAccess: return accessMemory()
    case .cpuid: return identify()
    case .readMSR: return readMSR()
    case .writeMSR: return writeMSR()
    case .halt:
      isHalted = true
      return .skip(length: 1)
    case .hypercall:
      cpu.value.registers.rax = PC.unknownHypercall
      return .skip(length: 3)
    case .setXCR: return setXCR()
    case .cacheControl: return .skip(length: 2)
    case .endOfInterrupt:
      pc.interruptEnded(UInt8(truncatingIfNeeded: cpu.value.exit.address))
      return .resume
    case .forbidden: return .fault(vector: 6, errorCode: nil)
    case .shutdown: stop("triple fault")
    case .invalidState: stop("the processor refuses the guest's state")
    case .unexpected: stop("the guest left for a reason that nobody handles")
    }
  }

  private mutating func identify() -> Disposition {
    let registers = cpu.value.registers
    let answer = pc.cpuid(
      leaf: UInt32(truncatingIfNeeded: registers.rax), subleaf: UInt32(truncatingIfNeeded: registers.rcx),
      cr4: cpu.value.cr4, xcr0: cpu.value.xcr0
    ) { leaf, subleaf in
      let answer = processorIdentification(leaf, subleaf)
      return CPUIDAnswer(eax: answer.0, ebx: answer.1, ecx: answer.2, edx: answer.3)
    }
    cpu.value.registers.rax = UInt64(answer.eax)
    cpu.value.registers.rbx = UInt64(answer.ebx)
    cpu.value.registers.rcx = UInt64(answer.ecx)
    cpu.value.registers.rdx = UInt64(answer.edx)
    return .skip(length: 2)
  }

  /// XSETBV, of ring 0 alone: on SVM it exits before the processor looks at that. The kernel checks the value once more,
  /// against what the machine has.
  private mutating func setXCR() -> Disposition {
    let registers = cpu.value.registers
    let value = registers.rdx << 32 | registers.rax & 0xffff_ffff
    let supported = Mapped<SystemInformation>.information.value.supportedXCR0
    let isPrivileged = cpu.value.segments.ss.attributes & 0x60 == 0
    guard isPrivileged, registers.rcx & 0xffff_ffff == 0, StateComponents.isValid(value, supported: supported) else {
      return .fault(vector: 13, errorCode: 0)
    }
    cpu.value.xcr0 = value
    return .skip(length: 3)
  }

  // MARK: - Model-specific registers

  private var words: ProcessorWords {
    ProcessorWords(
      cr0: cpu.value.cr0, efer: cpu.value.efer, pat: cpu.value.pat, tscOffset: cpu.value.tscOffset,
      machineTSC: Time.ticks)
  }

  private mutating func readMSR() -> Disposition {
    switch pc.readMSR(UInt32(truncatingIfNeeded: cpu.value.registers.rcx), words) {
    case .injectGP: return .fault(vector: 13, errorCode: 0)
    case .value(let value):
      cpu.value.registers.rax = value & 0xffff_ffff
      cpu.value.registers.rdx = value >> 32
      return .skip(length: 2)
    }
  }

  private mutating func writeMSR() -> Disposition {
    let registers = cpu.value.registers
    let value = registers.rdx << 32 | registers.rax & 0xffff_ffff
    var words = words
    switch pc.writeMSR(UInt32(truncatingIfNeeded: registers.rcx), value, &words) {
    case .injectGP: return .fault(vector: 13, errorCode: 0)
    case .accepted:
      cpu.value.efer = words.efer
      cpu.value.pat = words.pat
      cpu.value.tscOffset = words.tscOffset
      return .skip(length: 2)
    }
  }
}
