// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
import Bits

/// An exit of Intel VMX (Intel SDM volume 3, §28.2): what the VMCS holds of it.
package struct VMXExit: GuestExit {
  /// The exit reason, with its upper bits: bit 31 says that the guest was never entered.
  package var code: UInt32
  package var qualification: UInt64 = 0
  /// The guest-physical address, of an EPT violation.
  package var physicalAddress: UInt64 = 0
  /// The guest's RIP, and the length of the instruction there.
  package var rip: UInt64 = 0
  package var instructionLength: UInt32 = 0
  /// VM-exit instruction information; 0 where the processor has none for INS and OUTS.
  package var instructionInformation: UInt32 = 0
  /// VM-exit interruption information, of an exception or NMI.
  package var interruption: UInt32 = 0

  package init(code: UInt32) { self.code = code }

  /// The basic reason; `invalid` if the guest was never entered.
  private var basic: UInt32 { code & 1 << 31 != 0 ? VMXExitCode.invalidState : code & 0xffff }

  package var reason: ExitReason? {
    switch basic {
    // The machine's own NMI and machine check, and what the kernel gives back.
    case VMXExitCode.exception: isNonMaskable || isIntercepted ? nil : .unexpected
    case VMXExitCode.interrupt, VMXExitCode.initialise, VMXExitCode.systemManagementIO, VMXExitCode.systemManagement,
      VMXExitCode.interruptWindow, VMXExitCode.timer:
      nil
    case VMXExitCode.port: .portAccess
    case VMXExitCode.pageViolation: .memoryAccess
    case VMXExitCode.cpuid: .cpuid
    case VMXExitCode.readMSR: .readMSR
    case VMXExitCode.writeMSR: .writeMSR
    case VMXExitCode.halt: .halt
    case VMXExitCode.call: .hypercall
    case VMXExitCode.setXCR: .setXCR
    case VMXExitCode.endOfInterrupt: .endOfInterrupt
    case VMXExitCode.invalidateCaches, VMXExitCode.writeBackInvalidate: .cacheControl
    case VMXExitCode.tripleFault: .shutdown
    case VMXExitCode.invalidState, VMXExitCode.invalidMSR, VMXExitCode.machineCheckAtEntry: .invalidState
    case VMXExitCode.measuredLaunch, VMXExitCode.readCounter, VMXExitCode.clear...VMXExitCode.on,
      VMXExitCode.monitorWait, VMXExitCode.monitor, VMXExitCode.invalidatePages, VMXExitCode.invalidateIdentifier,
      VMXExitCode.function, VMXExitCode.enclave:
      .forbidden
    default: .unexpected
    }
  }

  /// Whether the machine's own NMI ended the guest: it is taken with that (§28.2.2: type 2 in bits 8-10).
  package var isNonMaskable: Bool {
    basic == VMXExitCode.exception && interruption & 1 << 31 != 0 && interruption.bits(8, count: 3) == 2
  }

  /// Whether it is an exception that guests exit for.
  private var isIntercepted: Bool {
    guard let vector = VMXEvent(rawValue: interruption).exception, vector < 32 else { return false }
    return ExceptionPolicy.intercepted & 1 << vector != 0
  }

  /// Whether the machine has found an error, in the guest or on the way into it.
  package var isMachineCheck: Bool {
    code & 0xffff == VMXExitCode.machineCheckAtEntry && code & 1 << 31 != 0
      || basic == VMXExitCode.exception && VMXEvent(rawValue: interruption).exception == ExceptionPolicy.machineCheck
  }

  /// Table 28-5: bit 3 is set for IN, bit 4 for a string access; bits 31-16 are the port.
  package var writtenPort: UInt16? {
    guard basic == VMXExitCode.port, qualification & 0b11000 == 0 else { return nil }
    return UInt16(truncatingIfNeeded: qualification >> 16)
  }

  /// Whether it is INS or OUTS.
  package var isString: Bool { basic == VMXExitCode.port && qualification & 16 != 0 }

  package func describe(_ reason: ExitReason, in exit: inout ExitInformation) {
    exit.detail = UInt64(code)
    exit.qualification = qualification
    exit.qualification2 = physicalAddress
    exit.access = 0
    exit.instructionCount = 0
    switch reason {
    case .portAccess: describePort(&exit)
    case .memoryAccess: describeMemory(&exit)
    case .endOfInterrupt:
      exit.address = qualification & 0xff
      exit.nextRIP = 0
    case .cpuid, .readMSR, .writeMSR, .halt, .hypercall, .setXCR, .cacheControl, .forbidden:
      exit.nextRIP = rip &+ UInt64(instructionLength)
    // The length is not defined.
    case .none, .shutdown, .invalidState, .unexpected: exit.nextRIP = 0
    }
  }

  /// Table 28-5: bits 0-2 width less one, 3 input, 4 string, 5 repeated, 16-31 port; table 28-10: the address size.
  private func describePort(_ exit: inout ExitInformation) {
    var access = Access.none
    if qualification & 8 == 0 { access.insert(.write) }
    if qualification & 16 != 0 { access.insert(.string) }
    if qualification & 32 != 0 { access.insert(.repeated) }
    exit.access = access.rawValue
    exit.width = UInt8(qualification.bits(0, count: 3)) + 1
    exit.port = UInt16(truncatingIfNeeded: qualification >> 16)
    exit.nextRIP = rip &+ UInt64(instructionLength)
    exit.addressSize = 0
    guard access.contains(.string), instructionInformation != 0 else { return }
    exit.addressSize = 16 << min(instructionInformation.bits(7, count: 3), 2)
  }

  /// Table 28-7: bit 1 a write, bit 2 a fetch.
  private func describeMemory(_ exit: inout ExitInformation) {
    var access = Access.none
    if qualification & 2 != 0 { access.insert(.write) }
    if qualification & 4 != 0 { access.insert(.fetch) }
    exit.access = access.rawValue
    exit.address = physicalAddress
    exit.nextRIP = 0
  }
}
