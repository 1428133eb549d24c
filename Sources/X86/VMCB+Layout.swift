// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

package import Bits

// AMD APM volume 2, appendix B, table B-1: control area.
extension VMCBField<UInt32> {
  package static var interceptControl: Self     { Self(0x000) }
  package static var exceptions: Self           { Self(0x008) }           // exception intercepts, by vector
  package static var intercept1: Self           { Self(0x00C) }
  package static var intercept2: Self           { Self(0x010) }
  package static var intercept3: Self           { Self(0x014) }
  package static var asid: Self                 { Self(0x058) }
  package static var virtualInterrupt: Self     { Self(0x060) }           // V_TPR, V_IRQ, V_INTR_PRIO, V_IGN_TPR
  package static var virtualVector: Self        { Self(0x064) }           // V_INTR_VECTOR
}
extension VMCBField<UInt8> {
  package static var tlbControl: Self           { Self(0x05C) }
  package static var instructionCount: Self     { Self(0x0D0) }
  package static var privilegeLevel: Self       { Self(0x4CB) }           // CPL
}
extension VMCBField<UInt64> {
  package static var ioPermissions: Self        { Self(0x040) }           // IOPM_BASE_PA
  package static var msrPermissions: Self       { Self(0x048) }           // MSRPM_BASE_PA
  package static var tscOffset: Self            { Self(0x050) }
  package static var interruptShadow: Self      { Self(0x068) }
  package static var exitCode: Self             { Self(0x070) }
  package static var exitInformation1: Self     { Self(0x078) }
  package static var exitInformation2: Self     { Self(0x080) }
  package static var exitInterrupt: Self        { Self(0x088) }           // EXITINTINFO
  package static var nestedPaging: Self         { Self(0x090) }
  package static var eventInjection: Self       { Self(0x0A8) }           // EVENTINJ
  package static var nestedCR3: Self            { Self(0x0B0) }
  package static var nextRIP: Self              { Self(0x0C8) }
  package static var instructionBytes0: Self    { Self(0x0D1) }
  package static var instructionBytes1: Self    { Self(0x0D9) }
  // Table B-2: state save area.
  package static var efer: Self                 { Self(0x4D0) }
  package static var cr4: Self                  { Self(0x548) }
  package static var cr3: Self                  { Self(0x550) }
  package static var cr0: Self                  { Self(0x558) }
  package static var dr7: Self                  { Self(0x560) }
  package static var dr6: Self                  { Self(0x568) }
  package static var rflags: Self               { Self(0x570) }
  package static var rip: Self                  { Self(0x578) }
  package static var rsp: Self                  { Self(0x5D8) }
  package static var rax: Self                  { Self(0x5F8) }
  package static var star: Self                 { Self(0x600) }
  package static var longStar: Self             { Self(0x608) }
  package static var compatibleStar: Self       { Self(0x610) }
  package static var callFlagMask: Self         { Self(0x618) }
  package static var kernelGSBase: Self         { Self(0x620) }
  package static var sysenterCS: Self           { Self(0x628) }
  package static var sysenterESP: Self          { Self(0x630) }
  package static var sysenterEIP: Self          { Self(0x638) }
  package static var cr2: Self                  { Self(0x640) }
  package static var guestPAT: Self             { Self(0x668) }
  package static var speculation: Self          { Self(0x6E0) }           // SPEC_CTRL
}
extension VMCBSegment {
  package static var es: Self                   { Self(0x400) }
  package static var cs: Self                   { Self(0x410) }
  package static var ss: Self                   { Self(0x420) }
  package static var ds: Self                   { Self(0x430) }
  package static var fs: Self                   { Self(0x440) }
  package static var gs: Self                   { Self(0x450) }
  package static var gdtr: Self                 { Self(0x460) }
  package static var ldtr: Self                 { Self(0x470) }
  package static var idtr: Self                 { Self(0x480) }
  package static var tr: Self                   { Self(0x490) }
}

/// The virtual interrupt word (offset 060).
package struct VirtualInterrupt: Flags {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }
  package static var pending: Self              { .bit(8) }               // V_IRQ
  package static var ignoresPriority: Self      { .bit(20) }              // V_IGN_TPR
  package static var masksHost: Self            { .bit(24) }              // V_INTR_MASKING
}
