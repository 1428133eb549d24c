// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

/// Exit codes of SVM (AMD APM volume 2, appendix C).
package enum SVMExitCode {
  package static var writeCR4: UInt64           { 0x014 }
  package static var debug: UInt64              { 0x041 }
  package static var alignment: UInt64          { 0x051 }
  package static var machineCheck: UInt64       { 0x052 }
  package static var interrupt: UInt64          { 0x060 }
  package static var nonMaskable: UInt64        { 0x061 }
  package static var systemManagement: UInt64   { 0x062 }
  package static var initialise: UInt64         { 0x063 }
  package static var readCounter: UInt64        { 0x06F }                 // RDPMC
  package static var cpuid: UInt64              { 0x072 }
  package static var interruptReturn: UInt64    { 0x074 }                 // IRET
  package static var invalidateCaches: UInt64   { 0x076 }
  package static var halt: UInt64               { 0x078 }
  package static var invalidateWithASID: UInt64 { 0x07A }
  package static var port: UInt64               { 0x07B }
  package static var modelSpecific: UInt64      { 0x07C }
  package static var shutdown: UInt64           { 0x07F }
  package static var run: UInt64                { 0x080 }
  package static var call: UInt64               { 0x081 }
  package static var load: UInt64               { 0x082 }
  package static var skinit: UInt64             { 0x086 }
  package static var writeBackInvalidate: UInt64 { 0x089 }
  package static var monitor: UInt64            { 0x08A }
  package static var monitorWait: UInt64        { 0x08B }
  package static var monitorWaitArmed: UInt64   { 0x08C }
  package static var setXCR: UInt64             { 0x08D }
  package static var readUserCounters: UInt64   { 0x08E }                 // RDPRU
  package static var nestedPageFault: UInt64    { 0x400 }
  package static var invalid: UInt64            { 0xFFFF_FFFF_FFFF_FFFF }
  package static var invalidIn32Bits: UInt64    { 0xFFFF_FFFF }           // the same as QEMU's TCG writes it

  /// Whether the kernel may have something to do that no VMM needs to see: for `writeCR4`, `modelSpecific`,
  /// `interruptReturn`, and some for which no guest leaves. Each exit asks, so it is one comparison.
  @inline(__always)
  package static func mayBeSettled(_ code: UInt64) -> Bool { code & ~0x68 == 0x14 }
}
