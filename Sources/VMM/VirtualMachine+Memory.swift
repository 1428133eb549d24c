// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Decoding
import Machine

/// Accesses to memory that is not there: device registers, reached by whatever instruction the guest chose.
extension VirtualMachine {
  mutating func accessMemory() -> Disposition {
    let exit = cpu.value.exit
    let access = Access(rawValue: exit.access)
    guard !access.contains(.fetch) else { stop("the guest runs code where it has no memory") }
    let walk = PageWalk(paging, pc.memory)
    let instruction: Instruction
    do throws(PageWalkError) {
      let bytes = try fetch(walk)
      do throws(DecodingError) { instruction = try InstructionDecoder.decode(bytes, as: code) } catch {
        stop("the guest touches device memory by an instruction that is not emulated", at: bytes)
      }
    } catch {
      // The page tables changed since the processor read the instruction: it will find out for itself.
      return .resume
    }
    return execute(instruction, DeviceAccess(address: exit.address, isWrite: access.contains(.write)), walk)
  }

  /// Carries the instruction out; a repeated one as far as it stays in the page.
  private mutating func execute(_ instruction: Instruction, _ first: DeviceAccess, _ walk: PageWalk) -> Disposition {
    var access = first
    let cpu = cpu
    var memory = GuestLinearMemory(walk, isUser: isUser)
    let context = SegmentContext(bases: bases, code: code, stack: stack)
    var flags = cpu.value.rflags
    let isPassed = passed.claims(address: first.address)
    defer {
      cpu.value.rflags = flags
      if isPassed { passed.deliverAll(&pc) }
    }
    do throws(PageWalkError) {
      while true {
        let progress =
          isPassed
          ? try instruction.execute(
            on: access, registers: &cpu.value.registers.words, flags: &flags, context: context, bus: &passed,
            memory: &memory)
          : try instruction.execute(
            on: access, registers: &cpu.value.registers.words, flags: &flags, context: context, bus: &pc,
            memory: &memory)
        switch progress {
        case .finished: return .skip(length: UInt64(instruction.length))
        case .again(let next):
          if InstructionEnd.steps(flags) { return .repeats }
          guard next & ~4095 == first.address & ~4095 else { return .resume }
          access.address = next
        }
      }
    } catch {
      return .resume
    }
  }

  /// The processor's own copy of the instruction where it gives one, else what the page tables lead to.
  private func fetch(_ walk: PageWalk) throws(PageWalkError) -> InstructionBytes {
    let exit = cpu.value.exit
    if exit.instructionCount > 0 { return InstructionBytes(exit.instruction, count: Int(exit.instructionCount)) }
    return try walk.fetch(rip: cpu.value.rip, base: cpu.value.segments.cs.base, code: code, isUser: isUser)
  }

  // MARK: - The guest's mode

  var paging: PagingRegisters {
    PagingRegisters(cr0: cpu.value.cr0, cr3: cpu.value.cr3, cr4: cpu.value.cr4, efer: cpu.value.efer)
  }

  /// CS.L (bit 9 of the attributes) in long mode, else CS.D (bit 10).
  var code: CodeSize {
    let attributes = cpu.value.segments.cs.attributes
    if cpu.value.efer & 1 << 10 != 0, attributes & 1 << 9 != 0 { return .bits64 }
    return attributes & 1 << 10 != 0 ? .bits32 : .bits16
  }

  /// SS.B (bit 10 of the attributes) outside 64-bit code.
  private var stack: Width {
    if code == .bits64 { return .quadword }
    return cpu.value.segments.ss.attributes & 1 << 10 != 0 ? .doubleword : .word
  }

  var isUser: Bool { cpu.value.segments.ss.attributes.bits(5, count: 2) == 3 }

  var bases: SegmentBases {
    let segments = cpu.value.segments
    var bases = SegmentBases()
    bases.es = segments.es.base
    bases.cs = segments.cs.base
    bases.ss = segments.ss.base
    bases.ds = segments.ds.base
    bases.fs = segments.fs.base
    bases.gs = segments.gs.base
    return bases
  }
}
