// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
package import CX86

/// What the kernel uses of this processor, from CPUID.
package struct ProcessorFeatures: Sendable {
  package let hasSVM: Bool
  package let hasVMX: Bool
  /// What SVM can do, and address-space identifiers for guests (CPUID 8000_000A, edx and ebx).
  package let svmFeatures: UInt32
  package let svmIdentifiers: UInt32
  /// The local APIC can be reached by model-specific registers.
  package let hasX2APIC: Bool
  /// Translations can carry the number of their address space (process-context identifiers).
  package let hasSpaceNumbers: Bool
  package let hasSMEP: Bool
  package let hasSMAP: Bool
  package let hasUMIP: Bool
  package let hasINVPCID: Bool
  package let hasXSAVE: Bool
  package let hasTSCDeadline: Bool
  package let hasGiBPages: Bool
  package let hasRDTSCP: Bool
  /// Bits this processor lets a guest have in XCR0.
  package let supportedXCR0: UInt64
  /// Bytes of the XSAVE area for all of them.
  package let extendedStateSize: UInt32
  /// Physical address bits.
  package let physicalAddressBits: UInt32
  /// Ticks of the time-stamp counter in a second as CPUID leaf 0x15 tells: denominator, numerator, crystal.
  package let toldRate: (denominator: UInt32, numerator: UInt32, crystal: UInt32)
  /// Whether the processor is QEMU's TCG, by the name it gives itself.
  package let isTranslated: Bool

  package init() {
    let largest = cx86_cpuid(0, 0).eax
    let basic = cx86_cpuid(1, 0)
    let structured = largest >= 7 ? cx86_cpuid(7, 0) : cx86_cpuid_result()
    let largestExtended = cx86_cpuid(0x8000_0000, 0).eax
    let extended = largestExtended >= 0x8000_0001 ? cx86_cpuid(0x8000_0001, 0) : cx86_cpuid_result()
    hasVMX = basic.ecx.bits(5, count: 1) == 1
    hasSVM = extended.ecx.bits(2, count: 1) == 1
    let svm = hasSVM && largestExtended >= 0x8000_000A ? cx86_cpuid(0x8000_000A, 0) : cx86_cpuid_result()
    svmFeatures = svm.edx
    svmIdentifiers = svm.ebx
    hasX2APIC = basic.ecx.bits(21, count: 1) == 1
    hasSpaceNumbers = basic.ecx.bits(17, count: 1) == 1
    hasSMEP = structured.ebx.bits(7, count: 1) == 1
    hasSMAP = structured.ebx.bits(20, count: 1) == 1
    hasUMIP = structured.ecx.bits(2, count: 1) == 1
    hasINVPCID = structured.ebx.bits(10, count: 1) == 1
    hasXSAVE = basic.ecx.bits(26, count: 1) == 1
    hasTSCDeadline = basic.ecx.bits(24, count: 1) == 1
    hasGiBPages = extended.edx.bits(26, count: 1) == 1
    hasRDTSCP = extended.edx.bits(27, count: 1) == 1
    let state = hasXSAVE && largest >= 0xD ? cx86_cpuid(0xD, 0) : cx86_cpuid_result()
    // x87, SSE, AVX, AVX-512 and PKRU: states that XSAVE alone carries.
    supportedXCR0 = hasXSAVE ? (UInt64(state.edx) << 32 | UInt64(state.eax)) & 0x2E7 : 1
    extendedStateSize = hasXSAVE ? max(state.ecx, 576) : 512
    let rate = largest >= 0x15 ? cx86_cpuid(0x15, 0) : cx86_cpuid_result()
    toldRate = (rate.eax, rate.ebx, rate.ecx)
    let host = basic.ecx.bits(31, count: 1) == 1 ? cx86_cpuid(0x4000_0000, 0) : cx86_cpuid_result()
    // "TCGTCGTCGTCG"
    isTranslated = host.ebx == 0x5447_4354 && host.ecx == 0x4354_4743 && host.edx == 0x4743_5447
    physicalAddressBits = largestExtended >= 0x8000_0008 ? cx86_cpuid(0x8000_0008, 0).eax & 0xff : 36
  }
}
