// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// Three exceptions of a guest's make it exit. #DB and #AC can be met again while they are delivered, and a processor then
// delivers them for ever, with no interrupt in between (CVE-2015-5307, CVE-2015-8104): with an exit for each, the core's
// interrupts are taken between two of them, and whoever loops does so in its own time. #MC is the machine's, not the
// guest's.
//
// Both are given back as the processor itself would have delivered them. They are benign (Intel SDM volume 3, table 6-4):
// met during the delivery of another event, they take its place, and no double fault follows.

/// The exceptions of a guest that make it exit.
package enum ExceptionPolicy {
  /// #DB: a breakpoint, a single step, INT1.
  package static var debug: UInt32 { 1 }
  /// #AC.
  package static var alignment: UInt32 { 17 }
  /// #MC.
  package static var machineCheck: UInt32 { 18 }

  /// The exception bitmap of VMX and the exception intercepts of SVM, which have the same form.
  package static var intercepted: UInt32 { 1 << debug | 1 << alignment | 1 << machineCheck }

  /// CR4.MCE: set in hardware whatever a guest writes. Without it a machine check shuts the processor down.
  package static var machineCheckEnable: UInt64 { 1 << 6 }
  /// DR7.GD, which the delivery of #DB clears, and an injection does not.
  package static var generalDetect: UInt64 { 1 << 13 }
}

/// DR6, and how VMX tells of it (Intel SDM volume 3, §17.2.3 and table 28-1).
package enum DebugStatus {
  /// B0 to B3.
  private static var breakpoints: UInt64 { 0xf }
  /// BD and BS.
  private static var conditions: UInt64 { 1 << 13 | singleStep }
  /// BLD and RTM: clear in DR6 when they are meant, set in the exit's qualification.
  private static var inverted: UInt64 { 1 << 11 | transaction }
  private static var transaction: UInt64 { 1 << 16 }
  /// BS, in DR6, in an exit's qualification and among pending debug exceptions.
  package static var singleStep: UInt64 { 1 << 14 }

  /// What the handler of a #DB is to find in DR6, where an exit left it as it was before: the breakpoints of this event,
  /// while BD and BS stay once they are set.
  package static func merged(_ before: UInt64, qualification: UInt64) -> UInt64 {
    let kept = before & ~breakpoints | transaction
    return (kept | qualification & (breakpoints | conditions)) & ~(qualification & inverted)
  }
}

/// What VM entry is told so that a guest gets the exception for which it left.
package struct ReturnedException: Equatable, Sendable {
  package let event: VMXEvent
  /// Whether RIP goes behind the instruction first: INT1, unlike what it raises, is a fault to VMX.
  package let skipsInstruction: Bool

  /// `nil` if the exit was for something that is not given back.
  /// - Parameter met: VM-exit interruption information.
  package init?(met: VMXEvent) {
    switch met.exception {
    case ExceptionPolicy.debug:
      event = .exception(ExceptionPolicy.debug, hasErrorCode: false)
      skipsInstruction = met.isPrivilegedSoftware
    case ExceptionPolicy.alignment:
      event = .exception(ExceptionPolicy.alignment, hasErrorCode: true)
      skipsInstruction = false
    default: return nil
    }
  }

  package var isDebug: Bool { event.vector == UInt64(ExceptionPolicy.debug) }

  /// Whether a single step must be pending for the entry: in the shadow of STI or MOV SS, BS is what RFLAGS.TF is
  /// (§27.3.1.5).
  package func mustStep(flags: UInt64, interruptibility: UInt32) -> Bool {
    isDebug && !skipsInstruction && flags & 1 << 8 != 0 && interruptibility & 3 != 0
  }
}

/// EVENTINJ for the exception for which a guest left under SVM (AMD APM volume 2, §15.20). DR6 is in the VMCB already.
package enum ReturnedInterception {
  /// `nil` if the exit was for something that is not given back.
  package static func event(exitCode: UInt64) -> UInt64? {
    let (exception, valid): (UInt64, UInt64) = (3 << 8, 1 << 31)
    switch exitCode {
    case SVMExitCode.debug: return UInt64(ExceptionPolicy.debug) | exception | valid
    case SVMExitCode.alignment: return UInt64(ExceptionPolicy.alignment) | exception | 1 << 11 | valid
    default: return nil
    }
  }
}
