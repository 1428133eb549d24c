// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

/// Basic exit reasons of VMX (Intel SDM volume 3, appendix C).
package enum VMXExitCode {
  package static var exception: UInt32            { 0 }                   // or NMI
  package static var interrupt: UInt32            { 1 }
  package static var tripleFault: UInt32          { 2 }
  package static var initialise: UInt32           { 3 }                   // INIT
  package static var systemManagementIO: UInt32   { 5 }                   // SMI
  package static var systemManagement: UInt32     { 6 }                   // SMI
  package static var interruptWindow: UInt32      { 7 }
  package static var cpuid: UInt32                { 10 }
  package static var measuredLaunch: UInt32       { 11 }                  // GETSEC
  package static var halt: UInt32                 { 12 }
  package static var invalidateCaches: UInt32     { 13 }                  // INVD
  package static var readCounter: UInt32          { 15 }                  // RDPMC
  package static var call: UInt32                 { 18 }                  // VMCALL
  package static var clear: UInt32                { 19 }                  // VMCLEAR, the first of VMX's own
  package static var on: UInt32                   { 27 }                  // VMXON, the last
  package static var controlRegister: UInt32      { 28 }
  package static var port: UInt32                 { 30 }
  package static var readMSR: UInt32              { 31 }
  package static var writeMSR: UInt32             { 32 }
  package static var invalidState: UInt32         { 33 }                  // VM-entry failure
  package static var invalidMSR: UInt32           { 34 }                  // VM-entry failure
  package static var monitorWait: UInt32          { 36 }                  // MWAIT
  package static var monitor: UInt32              { 39 }
  package static var machineCheckAtEntry: UInt32  { 41 }                  // VM-entry failure
  package static var endOfInterrupt: UInt32       { 45 }                  // virtualized EOI
  package static var pageViolation: UInt32        { 48 }                  // EPT violation
  package static var pageMisconfiguration: UInt32 { 49 }                  // EPT misconfiguration
  package static var invalidatePages: UInt32      { 50 }                  // INVEPT
  package static var timer: UInt32                { 52 }                  // VMX-preemption timer expired
  package static var invalidateIdentifier: UInt32 { 53 }                  // INVVPID
  package static var writeBackInvalidate: UInt32  { 54 }                  // WBINVD
  package static var setXCR: UInt32               { 55 }                  // XSETBV
  package static var function: UInt32             { 59 }                  // VMFUNC
  package static var enclave: UInt32              { 60 }                  // ENCLS

  /// Whether an exit is for an instruction that was about to be executed: no event was being delivered (§28.2.4).
  package static func isInstruction(_ code: UInt32) -> Bool {
    switch code {
    case cpuid, halt, call, controlRegister, port, readMSR, writeMSR, setXCR: true
    default: false
    }
  }
}
