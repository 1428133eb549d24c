// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

/// Numbers of model-specific registers that exit (Intel SDM volume 4; AMD APM volume 2, appendix A; Linux,
/// Documentation/virt/kvm/x86/msr.rst).
enum MSRNumber {
  static var timeStampCounter: UInt32       { 0x0000_0010 }  // IA32_TIME_STAMP_COUNTER
  static var oldKVMWallClock: UInt32        { 0x0000_0011 }  // MSR_KVM_WALL_CLOCK
  static var oldKVMClock: UInt32            { 0x0000_0012 }  // MSR_KVM_SYSTEM_TIME
  static var platformID: UInt32             { 0x0000_0017 }  // IA32_PLATFORM_ID
  static var apicBase: UInt32               { 0x0000_001b }  // IA32_APIC_BASE
  static var featureControl: UInt32         { 0x0000_003a }  // IA32_FEATURE_CONTROL
  static var tscAdjust: UInt32              { 0x0000_003b }  // IA32_TSC_ADJUST
  static var microcodeRevision: UInt32      { 0x0000_008b }  // IA32_BIOS_SIGN_ID, PATCH_LEVEL
  static var architecturalCapabilities: UInt32 { 0x0000_010a } // IA32_ARCH_CAPABILITIES
  static var mtrrCapabilities: UInt32       { 0x0000_00fe }  // IA32_MTRRCAP
  static var machineCheckCapability: UInt32 { 0x0000_0179 }  // IA32_MCG_CAP
  static var machineCheckStatus: UInt32     { 0x0000_017a }  // IA32_MCG_STATUS
  static var miscEnable: UInt32             { 0x0000_01a0 }  // IA32_MISC_ENABLE
  static var debugControl: UInt32           { 0x0000_01d9 }  // IA32_DEBUGCTL
  static var variableMTRRs: UInt32          { 0x0000_0200 }  // IA32_MTRR_PHYSBASE0 and the fifteen after it
  static var fixedMTRR64K: UInt32           { 0x0000_0250 }  // IA32_MTRR_FIX64K_00000
  static var fixedMTRR16K: UInt32           { 0x0000_0258 }  // IA32_MTRR_FIX16K_80000, _A0000
  static var fixedMTRR4K: UInt32            { 0x0000_0268 }  // IA32_MTRR_FIX4K_C0000 to _F8000
  static var pageAttributes: UInt32         { 0x0000_0277 }  // IA32_PAT
  static var mtrrDefaultType: UInt32        { 0x0000_02ff }  // IA32_MTRR_DEF_TYPE
  static var tscDeadline: UInt32            { 0x0000_06e0 }  // IA32_TSC_DEADLINE
  static var x2APIC: UInt32                 { 0x0000_0800 }  // the x2APIC's registers, to 8FF
  static var kvmWallClock: UInt32           { 0x4b56_4d00 }  // MSR_KVM_WALL_CLOCK_NEW
  static var kvmClock: UInt32               { 0x4b56_4d01 }  // MSR_KVM_SYSTEM_TIME_NEW
  static var kvmEndOfInterrupt: UInt32      { 0x4b56_4d04 }  // MSR_KVM_PV_EOI_EN
  static var extendedFeatures: UInt32       { 0xc000_0080 }  // EFER
  static var performanceSelects: UInt32     { 0xc001_0000 }  // PERF_CTL0 to PERF_CTL3, which no CPUID bit announces
  static var performanceCounters: UInt32    { 0xc001_0004 }  // PERF_CTR0 to PERF_CTR3
  static var systemConfiguration: UInt32    { 0xc001_0010 }  // SYSCFG
  static var hardwareConfiguration: UInt32  { 0xc001_0015 }  // HWCR
  static var topOfMemory: UInt32            { 0xc001_001a }  // TOP_MEM
  static var topOfMemory2: UInt32           { 0xc001_001d }  // TOP_MEM2
  static var northBridge: UInt32            { 0xc001_001f }  // NB_CFG
  static var interruptPending: UInt32       { 0xc001_0055 }  // Interrupt Pending and CMP-Halt
  static var mmioConfigurationBase: UInt32  { 0xc001_0058 }  // MMIO_CFG_BASE_ADDR
  static var decodeConfiguration: UInt32    { 0xc001_1029 }  // DE_CFG
}
