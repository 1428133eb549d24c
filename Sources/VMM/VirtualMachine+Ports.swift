// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Decoding
import Machine

/// IN, OUT, INS and OUTS.
extension VirtualMachine {
  /// Elements of a repeated string access that are done in one go; the guest then leaves again with the rest.
  private static var burst: Int { 1024 }

  mutating func accessPort() -> Disposition {
    let exit = cpu.value.exit
    let access = Access(rawValue: exit.access)
    let width = Int(exit.width)
    guard width == 1 || width == 2 || width == 4 else { stop("the kernel names a port access of no width") }
    #if FAULT_INJECTION
      if exit.port == FaultInjection.port { FaultInjection.strike(cpu.value.registers.rax, devices) }
    #endif
    if access.contains(.string) { return accessPortString(exit, access, width) }
    if access.contains(.write) {
      write(port: exit.port, width: width, UInt32(truncatingIfNeeded: cpu.value.registers.rax))
      return .skip(length: 1)
    }
    let value = UInt64(read(port: exit.port, width: width))
    let old = cpu.value.registers.rax
    // 32 bits clear the upper half of rax, less leaves the rest as it is (AMD APM volume 1, §3.1.2).
    cpu.value.registers.rax =
      width == 4 ? value : old & ~((1 << UInt64(width * 8)) - 1) | value & ((1 << UInt64(width * 8)) - 1)
    return .skip(length: 1)
  }

  /// What a device of the machine, or the guest's PC, has at a port.
  private mutating func read(port: UInt16, width: Int) -> UInt32 {
    passed.read(port: port, width: width, pc) ?? pc.read(port: port, width: width)
  }

  private mutating func write(port: UInt16, width: Int, _ value: UInt32) {
    guard !passed.write(port: port, width: width, value: value, &pc) else { return }
    act(on: pc.write(port: port, width: width, value: value))
  }

  /// Does what the guest asked of the world outside its machine.
  mutating func act(on request: Request) {
    switch request {
    case .none: break
    case .transmit(let byte): console.send(byte, now: now, canTransmit: &pc.canTransmit)
    case .powerOff:
      console.flush()
      Kernel.log(.information, "powered off")
      Kernel.exit(.powerOff)
    case .reset:
      console.flush()
      Kernel.log(.information, "reset")
      Kernel.exit(.restart)
    }
  }

  /// The memory side is ES:rDI for INS, DS:rSI for OUTS.
  private mutating func accessPortString(_ exit: ExitInformation, _ access: Access, _ width: Int) -> Disposition {
    let addressSize = stringAddressSize(exit)
    let mask: UInt64 = addressSize == 64 ? .max : (1 << UInt64(addressSize)) - 1
    let isWrite = access.contains(.write)
    let register = isWrite ? 6 : 7
    let isRepeated = access.contains(.repeated)
    let step = cpu.value.rflags & 1 << 10 != 0 ? 0 &- UInt64(width) : UInt64(width)
    var memory = GuestLinearMemory(PageWalk(paging, pc.memory), isUser: isUser)
    for _ in 0..<Self.burst {
      if isRepeated, cpu.value.registers.rcx & mask == 0 { return .skip(length: 2) }
      let offset = cpu.value.registers.words[register] & mask
      let base = code == .bits64 ? 0 : isWrite ? cpu.value.segments.ds.base : cpu.value.segments.es.base
      do throws(PageWalkError) {
        try transfer(exit.port, width, isWrite: isWrite, linear: base &+ offset, &memory)
      } catch {
        let fault = PageAccess(isWrite: !isWrite, isUser: isUser).faultCode(error)
        cpu.value.cr2 = base &+ offset
        return .fault(vector: 14, errorCode: fault)
      }
      cpu.value.registers.words[register] = merge(offset &+ step, into: register, mask)
      guard isRepeated else { return .skip(length: 1) }
      cpu.value.registers.rcx = merge(cpu.value.registers.rcx &- 1, into: 1, mask)
      if InstructionEnd.steps(cpu.value.rflags), cpu.value.registers.rcx & mask != 0 { return .repeats }
    }
    return .resume
  }

  private mutating func transfer(
    _ port: UInt16, _ width: Int, isWrite: Bool, linear: UInt64, _ memory: inout GuestLinearMemory
  ) throws(PageWalkError) {
    let size: Width = width == 1 ? .byte : width == 2 ? .word : .doubleword
    if isWrite {
      let value = try memory.read(linear: linear, width: size)
      write(port: port, width: width, UInt32(truncatingIfNeeded: value))
    } else {
      try memory.write(linear: linear, width: size, value: UInt64(read(port: port, width: width)))
    }
  }

  /// A register of which only the bits of the address size change; 32 bits clear the upper half.
  private func merge(_ value: UInt64, into register: Int, _ mask: UInt64) -> UInt64 {
    let old = cpu.value.registers.words[register]
    return mask == 0xffff ? old & ~mask | value & mask : value & mask
  }

  private func stringAddressSize(_ exit: ExitInformation) -> Int {
    switch exit.addressSize {
    case 16, 32, 64: return Int(exit.addressSize)
    default: return code == .bits64 ? 64 : code == .bits32 ? 32 : 16
    }
  }
}
