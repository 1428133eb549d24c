// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import CX86

/// A model-specific register, by its number.
package struct MSR: Sendable {
  package let number: UInt32
  package init(_ number: UInt32) { self.number = number }

  package var value: UInt64 {
    get { cx86_rdmsr(number) }
    nonmutating set { cx86_wrmsr(number, newValue) }
  }
}

// swift-format-ignore
extension MSR {                                                           // AMD APM volume 2, appendix A
  package static var featureControl: MSR    { MSR(0x0000_003A) }          // IA32_FEATURE_CONTROL (Intel)
  package static var apicBase: MSR          { MSR(0x0000_001B) }          // APIC_BASE
  package static var speculation: MSR       { MSR(0x0000_0048) }          // SPEC_CTRL
  package static var prediction: MSR        { MSR(0x0000_0049) }          // PRED_CMD
  package static var cacheFlush: MSR        { MSR(0x0000_010B) }          // IA32_FLUSH_CMD (Intel)
  package static var transactions: MSR      { MSR(0x0000_0122) }          // IA32_TSX_CTRL (Intel)
  package static var decoding: MSR          { MSR(0xC001_1029) }          // DE_CFG (AMD)
  package static var branches: MSR          { MSR(0xC001_102E) }          // BP_CFG (AMD)
  package static var attributes: MSR        { MSR(0x0000_0277) }          // PAT
  package static var tscDeadline: MSR       { MSR(0x0000_06E0) }          // IA32_TSC_DEADLINE
  package static var efer: MSR              { MSR(0xC000_0080) }          // EFER
  package static var star: MSR              { MSR(0xC000_0081) }          // STAR
  package static var longStar: MSR          { MSR(0xC000_0082) }          // LSTAR
  package static var compatibleStar: MSR    { MSR(0xC000_0083) }          // CSTAR
  package static var callFlagMask: MSR      { MSR(0xC000_0084) }          // SFMASK
  package static var gsBase: MSR            { MSR(0xC000_0101) }          // GS.base
  package static var kernelGSBase: MSR      { MSR(0xC000_0102) }          // KernelGSbase
  package static var tscAuxiliary: MSR      { MSR(0xC000_0103) }          // TSC_AUX
  package static var vmControl: MSR         { MSR(0xC001_0114) }          // VM_CR
  package static var hostSavePage: MSR      { MSR(0xC001_0117) }          // VM_HSAVE_PA
}
