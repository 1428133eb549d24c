// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
import Bits

/// An exit of AMD SVM (AMD APM volume 2, §15.6): what the VMCB holds of it.
package struct SVMExit: GuestExit {
  /// EXITCODE.
  package var code: UInt64
  /// EXITINFO1 and EXITINFO2.
  package var information1: UInt64 = 0
  package var information2: UInt64 = 0
  /// nRIP; 0 where the processor does not save it.
  package var nextRIP: UInt64 = 0
  /// Bytes of the instruction at a nested page fault, and how many; 0 where the processor does not give them.
  package var instruction: (low: UInt64, high: UInt64) = (0, 0)
  package var instructionCount: UInt8 = 0

  package init(code: UInt64) { self.code = code }

  @inline(__always)
  package var reason: ExitReason? {
    switch code {
    case SVMExitCode.interrupt, SVMExitCode.nonMaskable, SVMExitCode.systemManagement, SVMExitCode.initialise: nil
    // The kernel gives the first two back, and takes the third.
    case SVMExitCode.debug, SVMExitCode.alignment, SVMExitCode.machineCheck: nil
    case SVMExitCode.port: .portAccess
    case SVMExitCode.nestedPageFault: .memoryAccess
    case SVMExitCode.cpuid: .cpuid
    case SVMExitCode.modelSpecific: information1 == 0 ? .readMSR : .writeMSR
    case SVMExitCode.halt: .halt
    case SVMExitCode.call: .hypercall
    case SVMExitCode.setXCR: .setXCR
    case SVMExitCode.invalidateCaches, SVMExitCode.writeBackInvalidate: .cacheControl
    case SVMExitCode.shutdown: .shutdown
    case SVMExitCode.invalid, SVMExitCode.invalidIn32Bits: .invalidState
    case SVMExitCode.run, SVMExitCode.load...SVMExitCode.skinit, SVMExitCode.invalidateWithASID,
      SVMExitCode.monitor, SVMExitCode.monitorWait, SVMExitCode.monitorWaitArmed, SVMExitCode.readCounter,
      SVMExitCode.readUserCounters:
      .forbidden
    default: .unexpected
    }
  }

  /// §15.10.2: bit 0 of the first word is set for IN, bit 2 for a string access; bits 31-16 are the port.
  package var writtenPort: UInt16? {
    guard code == SVMExitCode.port, information1 & 0b101 == 0 else { return nil }
    return UInt16(truncatingIfNeeded: information1 >> 16)
  }

  /// The register that MOV to a control register takes its value from, by the first word: bit 63 is set for MOV, bits 0-3
  /// are the register's number (§15.8.1).
  package static func sourceRegister(_ information1: UInt64) -> Int? {
    information1 & 1 << 63 != 0 ? Int(information1.bits(0, count: 4)) : nil
  }

  package func describe(_ reason: ExitReason, in exit: inout ExitInformation) {
    exit.detail = code
    exit.qualification = information1
    exit.qualification2 = information2
    exit.nextRIP = nextRIP
    exit.access = 0
    exit.instructionCount = 0
    switch reason {
    case .portAccess: describePort(&exit)
    case .memoryAccess: describeMemory(&exit)
    default: break
    }
  }

  /// §15.10.2, figure 15-2: bit 0 input, 2 string, 3 repeated, 4-6 width, 7-9 address size, 16-31 port.
  private func describePort(_ exit: inout ExitInformation) {
    var access = Access.none
    if information1 & 1 == 0 { access.insert(.write) }
    if information1 & 4 != 0 { access.insert(.string) }
    if information1 & 8 != 0 { access.insert(.repeated) }
    exit.access = access.rawValue
    exit.width = UInt8(information1.bits(4, count: 3))
    exit.addressSize = UInt32(information1.bits(7, count: 3)) << 4
    exit.port = UInt16(truncatingIfNeeded: information1 >> 16)
    exit.nextRIP = information2
  }

  /// §15.25.6: a page-fault error code and the guest-physical address.
  private func describeMemory(_ exit: inout ExitInformation) {
    var access = Access.none
    if information1 & 2 != 0 { access.insert(.write) }
    if information1 & 16 != 0 { access.insert(.fetch) }
    exit.access = access.rawValue
    exit.address = information2
    exit.nextRIP = 0
    exit.instructionCount = min(instructionCount & 0xf, 15)
    guard exit.instructionCount != 0 else { return }
    for index in 0..<15 {
      let word = index < 8 ? instruction.low : instruction.high
      exit.instruction[index] = UInt8(truncatingIfNeeded: word >> UInt64(8 * (index & 7)))
    }
  }
}
