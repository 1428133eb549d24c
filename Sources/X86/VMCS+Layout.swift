// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

// Intel SDM volume 3, appendix B.
extension VMCSField<UInt16> {
  package static var identifier: Self             { Self(0x0000) }        // VPID
  package static var notificationVector: Self     { Self(0x0002) }        // posted-interrupt notification vector
  package static var interruptStatus: Self        { Self(0x0810) }        // guest interrupt status: RVI, SVI
  package static var hostES: Self                 { Self(0x0C00) }
  package static var hostCS: Self                 { Self(0x0C02) }
  package static var hostSS: Self                 { Self(0x0C04) }
  package static var hostDS: Self                 { Self(0x0C06) }
  package static var hostFS: Self                 { Self(0x0C08) }
  package static var hostGS: Self                 { Self(0x0C0A) }
  package static var hostTR: Self                 { Self(0x0C0C) }
}
extension VMCSField<UInt32> {
  package static var pinControls: Self            { Self(0x4000) }
  package static var processorControls: Self      { Self(0x4002) }
  package static var exceptions: Self             { Self(0x4004) }        // exception bitmap
  package static var pageFaultMask: Self          { Self(0x4006) }
  package static var pageFaultMatch: Self         { Self(0x4008) }
  package static var targetCount: Self            { Self(0x400A) }        // CR3-target count
  package static var exitControls: Self           { Self(0x400C) }
  package static var exitStoreCount: Self         { Self(0x400E) }
  package static var exitLoadCount: Self          { Self(0x4010) }
  package static var entryControls: Self          { Self(0x4012) }
  package static var entryLoadCount: Self         { Self(0x4014) }
  package static var injection: Self              { Self(0x4016) }        // VM-entry interruption information
  package static var injectionErrorCode: Self     { Self(0x4018) }
  package static var priorityThreshold: Self      { Self(0x401C) }        // TPR threshold
  package static var secondaryControls: Self      { Self(0x401E) }
  package static var instructionError: Self       { Self(0x4400) }
  package static var exitReason: Self             { Self(0x4402) }
  package static var exitInterruption: Self       { Self(0x4404) }
  package static var vectoring: Self              { Self(0x4408) }        // IDT-vectoring information
  package static var vectoringErrorCode: Self     { Self(0x440A) }
  package static var instructionLength: Self      { Self(0x440C) }
  package static var instructionInformation: Self { Self(0x440E) }
  package static var interruptibility: Self       { Self(0x4824) }
  package static var activity: Self               { Self(0x4826) }
  package static var sysenterCS: Self             { Self(0x482A) }
  package static var timer: Self                  { Self(0x482E) }        // VMX-preemption timer value
  package static var hostSysenterCS: Self         { Self(0x4C00) }
}
extension VMCSField<UInt64> {
  package static var portsA: Self                 { Self(0x2000) }        // I/O bitmap A
  package static var portsB: Self                 { Self(0x2002) }
  package static var registerMap: Self            { Self(0x2004) }        // MSR bitmap
  package static var exitStore: Self              { Self(0x2006) }
  package static var exitLoad: Self               { Self(0x2008) }
  package static var entryLoad: Self              { Self(0x200A) }
  package static var tscOffset: Self              { Self(0x2010) }
  package static var virtualAPIC: Self            { Self(0x2012) }
  package static var postedDescriptor: Self       { Self(0x2016) }        // posted-interrupt descriptor address
  package static var nestedRoot: Self             { Self(0x201A) }        // EPT pointer
  package static var endExits0: Self              { Self(0x201C) }        // EOI-exit bitmap, vectors 0-63
  package static var endExits1: Self              { Self(0x201E) }
  package static var endExits2: Self              { Self(0x2020) }
  package static var endExits3: Self              { Self(0x2022) }
  package static var physicalAddress: Self        { Self(0x2400) }
  package static var link: Self                   { Self(0x2800) }
  package static var debugControl: Self           { Self(0x2802) }
  package static var guestPAT: Self               { Self(0x2804) }
  package static var guestEFER: Self              { Self(0x2806) }
  package static var hostPAT: Self                { Self(0x2C00) }
  package static var hostEFER: Self               { Self(0x2C02) }
  package static var ownedCR0: Self               { Self(0x6000) }        // guest/host mask
  package static var ownedCR4: Self               { Self(0x6002) }
  package static var shadowCR0: Self              { Self(0x6004) }
  package static var shadowCR4: Self              { Self(0x6006) }
  package static var qualification: Self          { Self(0x6400) }
  package static var cr0: Self                    { Self(0x6800) }
  package static var cr3: Self                    { Self(0x6802) }
  package static var cr4: Self                    { Self(0x6804) }
  package static var dr7: Self                    { Self(0x681A) }
  package static var rsp: Self                    { Self(0x681C) }
  package static var rip: Self                    { Self(0x681E) }
  package static var rflags: Self                 { Self(0x6820) }
  package static var pendingDebug: Self           { Self(0x6822) }
  package static var sysenterESP: Self            { Self(0x6824) }
  package static var sysenterEIP: Self            { Self(0x6826) }
  package static var hostCR0: Self                { Self(0x6C00) }
  package static var hostCR3: Self                { Self(0x6C02) }
  package static var hostCR4: Self                { Self(0x6C04) }
  package static var hostFSBase: Self             { Self(0x6C06) }
  package static var hostGSBase: Self             { Self(0x6C08) }
  package static var hostTRBase: Self             { Self(0x6C0A) }
  package static var hostGDTRBase: Self           { Self(0x6C0C) }
  package static var hostIDTRBase: Self           { Self(0x6C0E) }
  package static var hostSysenterESP: Self        { Self(0x6C10) }
  package static var hostSysenterEIP: Self        { Self(0x6C12) }
  package static var hostRIP: Self                { Self(0x6C16) }
}
extension VMCSSegment {
  package static var es: Self                     { Self(0) }
  package static var cs: Self                     { Self(1) }
  package static var ss: Self                     { Self(2) }
  package static var ds: Self                     { Self(3) }
  package static var fs: Self                     { Self(4) }
  package static var gs: Self                     { Self(5) }
  package static var ldtr: Self                   { Self(6) }
  package static var tr: Self                     { Self(7) }
  package static var gdtr: Self                   { Self(8) }             // base and limit alone
  package static var idtr: Self                   { Self(9) }             // base and limit alone
}
