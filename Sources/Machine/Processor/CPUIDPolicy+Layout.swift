// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

// One line for each feature bit a machine may show (Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E):
// `pass` as the machine has it, `hide` and why, `force` because Roost provides it. Bits not named are hidden.

extension FeatureMask {
  /// Leaf 1, ECX.
  static func leaf1ECX(_ facts: CPUIDFacts) -> Self {
    Self(facts)
      .pass(0)                                // SSE3
      .pass(1)                                // PCLMULQDQ
      .hide(2)                                // DTES64           the debug store is a set of MSRs the guest has not
      .hide(3)                                // MONITOR          an idle guest must halt, or its core never sleeps
      .hide(4)                                // DS-CPL           debug store
      .hide(5)                                // VMX              no nested virtualisation
      .hide(6)                                // SMX              no measured launch
      .hide(7)                                // EIST             frequency belongs to the machine
      .hide(8)                                // TM2              temperature belongs to the machine
      .pass(9)                                // SSSE3
      .hide(10)                               // CNXT-ID
      .hide(11)                               // SDBG             silicon debug
      .pass(12, with: .ymm)                   // FMA
      .pass(13)                               // CMPXCHG16B
      .hide(14)                               // xTPR             an MSR the guest has not
      .hide(15)                               // PDCM             performance monitoring
      .pass(17)                               // PCID
      .hide(18)                               // DCA              belongs to real devices
      .pass(19)                               // SSE4.1
      .pass(20)                               // SSE4.2
      .force(21)                              // x2APIC           our APIC has it: registers without decoding
      .pass(22)                               // MOVBE
      .pass(23)                               // POPCNT
      .force(24, if: facts.offersDeadlineTimer)  // TSC-deadline  our APIC has it
      .pass(25)                               // AES
      .pass(26)                               // XSAVE
      .force(27, if: facts.hasOSXSAVE)        // OSXSAVE          repeats the guest's CR4
      .pass(28, with: .ymm)                   // AVX
      .pass(29, with: .ymm)                   // F16C
      .pass(30)                               // RDRAND
      .force(31)                              // hypervisor
  }

  /// Leaf 1, EDX.
  static func leaf1EDX(_ facts: CPUIDFacts) -> Self {
    common(facts)
      .force(9, if: facts.hasLocalAPIC)       // APIC             ours; gone while the guest has switched it off
      .pass(11)                               // SEP              SYSENTER
      .hide(18)                               // PSN              serial number
      .pass(19)                               // CLFLUSH
      .hide(21)                               // DS               debug store
      .hide(22)                               // ACPI             thermal MSRs
      .pass(25)                               // SSE
      .pass(26)                               // SSE2
      .pass(27)                               // self snoop
      .hide(28)                               // HTT              one core, one thread
      .hide(29)                               // TM               thermal MSRs
      .hide(31)                               // PBE              thermal MSRs
  }

  /// The bits that leaf 1 and AMD's leaf 8000_0001 have in common in EDX.
  private static func common(_ facts: CPUIDFacts) -> Self {
    Self(facts)
      .pass(0)                                // FPU
      .pass(1)                                // VME
      .pass(2)                                // DE
      .pass(3)                                // PSE
      .pass(4)                                // TSC
      .pass(5)                                // MSR
      .pass(6)                                // PAE
      .hide(7)                                // MCE              machine checks go to the kernel, not to a guest
      .pass(8)                                // CMPXCHG8B
      .pass(12)                               // MTRR
      .pass(13)                               // PGE
      .hide(14)                               // MCA              no banks
      .pass(15)                               // CMOV
      .pass(16)                               // PAT
      .pass(17)                               // PSE-36
      .pass(23)                               // MMX
      .pass(24)                               // FXSR
  }

  /// Leaf 7, subleaf 0, EBX.
  static func leaf7EBX(_ facts: CPUIDFacts) -> Self {
    Self(facts)
      .pass(0)                                // FSGSBASE
      .force(1)                               // TSC_ADJUST       ours; with it Linux trusts the counter and needs no watchdog
      .hide(2)                                // SGX              enclave memory is the machine's
      .pass(3)                                // BMI1
      .hide(4)                                // HLE              TSX_CTRL is not the guest's
      .pass(5, with: .ymm)                    // AVX2
      .pass(6)                                // FDP_EXCPTN_ONLY
      .pass(7)                                // SMEP
      .pass(8)                                // BMI2
      .pass(9)                                // ERMS
      .pass(10)                               // INVPCID
      .hide(11)                               // RTM              TSX_CTRL is not the guest's
      .hide(12)                               // RDT-M            MSRs of the machine
      .pass(13)                               // no FCS and FDS
      .hide(14)                               // MPX              retired; BNDCFGS is not switched
      .hide(15)                               // RDT-A            MSRs of the machine
      .pass(16, with: .zmm)                   // AVX512F
      .pass(17, with: .zmm)                   // AVX512DQ
      .pass(18)                               // RDSEED
      .pass(19)                               // ADX
      .pass(20)                               // SMAP
      .pass(21, with: .zmm)                   // AVX512_IFMA
      .pass(23)                               // CLFLUSHOPT
      .pass(24)                               // CLWB
      .hide(25)                               // PT               tracing MSRs
      .pass(26, with: .zmm)                   // AVX512PF
      .pass(27, with: .zmm)                   // AVX512ER
      .pass(28, with: .zmm)                   // AVX512CD
      .pass(29)                               // SHA
      .pass(30, with: .zmm)                   // AVX512BW
      .pass(31, with: .zmm)                   // AVX512VL
  }

  /// Leaf 7, subleaf 0, ECX.
  static func leaf7ECX(_ facts: CPUIDFacts) -> Self {
    Self(facts)
      .pass(0)                                // PREFETCHWT1
      .pass(1, with: .zmm)                    // AVX512_VBMI
      .pass(2)                                // UMIP
      .pass(3, with: .protectionKeys)         // PKU
      .force(4, if: facts.hasProtectionKeys)  // OSPKE            repeats the guest's CR4
      .hide(5)                                // WAITPKG          waiting is for HLT; UMWAIT_CONTROL is not the guest's
      .pass(6, with: .zmm)                    // AVX512_VBMI2
      .hide(7)                                // CET_SS           shadow-stack MSRs are not switched
      .pass(8)                                // GFNI
      .pass(9, with: .ymm)                    // VAES
      .pass(10, with: .ymm)                   // VPCLMULQDQ
      .pass(11, with: .zmm)                   // AVX512_VNNI
      .pass(12, with: .zmm)                   // AVX512_BITALG
      .hide(13)                               // TME              memory encryption is the machine's
      .pass(14, with: .zmm)                   // AVX512_VPOPCNTDQ
      .hide(16)                               // LA57             our page walk knows four levels
      .pass(22)                               // RDPID            TSC_AUX is the guest's
      .hide(23)                               // KL               key locker MSRs
      .hide(24)                               // bus lock detect  DEBUGCTL is not the guest's
      .pass(25)                               // CLDEMOTE
      .hide(27)                               // MOVDIRI          stores to devices that our decoder does not know
      .hide(28)                               // MOVDIR64B        likewise
      .hide(29)                               // ENQCMD           likewise, and the PASID MSR
      .hide(30)                               // SGX_LC
      .hide(31)                               // PKS              the PKRS MSR is not switched
  }

  /// Leaf 7, subleaf 0, EDX.
  static func leaf7EDX(_ facts: CPUIDFacts) -> Self {
    Self(facts)
      .pass(2, with: .zmm)                    // AVX512_4VNNIW
      .pass(3, with: .zmm)                    // AVX512_4FMAPS
      .pass(4)                                // FSRM
      .hide(5)                                // UINTR            user-interrupt MSRs
      .pass(8, with: .zmm)                    // AVX512_VP2INTERSECT
      .hide(9)                                // SRBDS_CTRL       an MSR the guest has not
      .pass(10)                               // MD_CLEAR         VERW, no MSR
      .hide(11)                               // RTM_ALWAYS_ABORT
      .pass(14)                               // SERIALIZE
      .hide(15)                               // hybrid           one core, one kind
      .hide(16)                               // TSXLDTRK
      .hide(18)                               // PCONFIG          memory keys are the machine's
      .hide(19)                               // ARCH_LBR         branch records are not switched
      .hide(20)                               // CET_IBT          MSRs are not switched
      .hide(22)                               // AMX_BF16         tile state is not switched
      .pass(23, with: .zmm)                   // AVX512_FP16
      .hide(24)                               // AMX_TILE
      .hide(25)                               // AMX_INT8
      .pass(26, if: facts.passesPredictionCommand && facts.canControl(1 << 0))  // IBRS, IBPB  PRED_CMD, SPEC_CTRL
      .pass(27, if: facts.canControl(1 << 1)) // STIBP            SPEC_CTRL
      .pass(28, if: facts.passesFlushCommand) // L1D_FLUSH        FLUSH_CMD is a command: nothing is to be switched
      .force(29, if: facts.architecturalCapabilities != 0)  // ARCH_CAPABILITIES  what Roost does besides is in it
      .hide(30)                               // CORE_CAPABILITIES  not passed through
      .pass(31, if: facts.canControl(1 << 2)) // SSBD             SPEC_CTRL
  }

  /// Leaf 7, subleaf 1, EAX.
  static func leaf7Sub1EAX(_ facts: CPUIDFacts) -> Self {
    Self(facts)
      .pass(4, with: .ymm)                    // AVX_VNNI
      .pass(5, with: .zmm)                    // AVX512_BF16
      .pass(7)                                // CMPCCXADD
      .pass(10)                               // FZRM
      .pass(11)                               // FSRS
      .pass(12)                               // FSRC
      .hide(17)                               // FRED             MSRs are not switched
      .hide(19)                               // WRMSRNS
      .hide(21)                               // AMX_FP16
      .hide(22)                               // HRESET           an MSR the guest has not
      .pass(23, with: .ymm)                   // AVX_IFMA
      .hide(26)                               // LAM              CR3 and CR4 bits our page walk does not know
  }

  /// Leaf 7, subleaf 1, EDX.
  static func leaf7Sub1EDX(_ facts: CPUIDFacts) -> Self {
    Self(facts)
      .pass(4, with: .ymm)                    // AVX_VNNI_INT8
      .pass(5, with: .ymm)                    // AVX_NE_CONVERT
      .hide(8)                                // AMX_COMPLEX
      .pass(14)                               // PREFETCHI
      .hide(17)                               // UIRET_UIF
      .hide(18)                               // CET_SSS
      .hide(19)                               // AVX10            its leaf is not offered
  }

  /// Leaf 7, subleaf 2, EDX.
  static func leaf7Sub2EDX(_ facts: CPUIDFacts) -> Self {
    Self(facts)
      .pass(0, if: facts.canControl(1 << 7))  // PSFD             SPEC_CTRL
      .pass(1, if: facts.canControl(1 << 3 | 1 << 4))  // IPRED_CTRL  SPEC_CTRL
      .pass(2, if: facts.canControl(1 << 5 | 1 << 6))  // RRSBA_CTRL  SPEC_CTRL
      .pass(3, if: facts.canControl(1 << 8))  // DDPD_U           SPEC_CTRL
      .pass(4, if: facts.canControl(1 << 10)) // BHI_CTRL         SPEC_CTRL
      .pass(5)                                // MCDT_NO          says what the machine needs not
      .hide(6)                                // UC_LOCK_DIS      an MSR the guest has not
      .hide(7)                                // MONITOR_MITG_NO  an idle guest must halt
  }

  /// Leaf D, subleaf 1, EAX.
  static func leafDSub1EAX(_ facts: CPUIDFacts) -> Self {
    Self(facts)
      .pass(0)                                // XSAVEOPT
      .pass(1)                                // XSAVEC
      .pass(2)                                // XGETBV1
      .hide(3)                                // XSAVES           IA32_XSS is not switched
      .hide(4)                                // XFD              its MSRs are not switched
  }

  /// Leaf 8000_0001, ECX.
  static func extendedECX(_ facts: CPUIDFacts) -> Self {
    Self(facts)
      .pass(0)                                // LahfSahf
      .hide(1)                                // CmpLegacy        one core
      .hide(2)                                // SVM              no nested virtualisation
      .hide(3)                                // ExtApicSpace     our APIC has no extended registers
      .pass(4)                                // AltMovCr8
      .pass(5)                                // ABM
      .pass(6)                                // SSE4A
      .pass(7)                                // MisAlignSse
      .pass(8)                                // 3DNowPrefetch
      .hide(9)                                // OSVW             errata are the machine's; MSRs the guest has not
      .hide(10)                               // IBS              sampling MSRs
      .pass(11, with: .ymm)                   // XOP
      .hide(12)                               // SKINIT
      .hide(13)                               // WDT              the machine's watchdog
      .hide(15)                               // LWP              profiling state is not switched
      .pass(16, with: .ymm)                   // FMA4
      .hide(17)                               // TCE              a bit of EFER the guest may not set
      .hide(19)                               // NodeId           an MSR the guest has not
      .pass(21)                               // TBM
      .pass(22)                               // TopologyExtensions
      .hide(23)                               // PerfCtrExtCore   performance counters are not the guest's
      .hide(24)                               // PerfCtrExtNB
      .hide(26)                               // DataBkptExt      address-mask MSRs
      .hide(27)                               // PerfTsc
      .hide(28)                               // PerfCtrExtLLC
      .hide(29)                               // MONITORX         an idle guest must halt
      .hide(30)                               // AddrMaskExt
  }

  /// Leaf 8000_0001, EDX.
  static func extendedEDX(_ facts: CPUIDFacts) -> Self {
    common(facts)
      .pass(9, if: facts.hasLocalAPIC)        // APIC             repeats leaf 1
      .pass(11)                               // SYSCALL
      .hide(19)                               // MP               one core
      .pass(20)                               // NX
      .pass(22)                               // MmxExt
      .hide(25)                               // FFXSR            a bit of EFER the guest may not set
      .pass(26)                               // Page1GB
      .pass(27)                               // RDTSCP           TSC_AUX is the guest's
      .pass(29)                               // LM
      .pass(30)                               // 3DNowExt
      .pass(31)                               // 3DNow
  }

  /// Leaf 8000_0007, EDX.
  static func powerEDX(_ facts: CPUIDFacts) -> Self {
    Self(facts)
      .hide(0)                                // TS               temperature sensor
      .hide(1)                                // FID              frequency belongs to the machine
      .hide(2)                                // VID
      .hide(7)                                // HwPstate
      .force(8)                               // TscInvariant     the counter never stops and its rate is known
      .hide(9)                                // CPB              core boost
      .hide(12)                               // ProcPowerReporting
  }

  /// Leaf 8000_0008, EBX.
  static func extensionsEBX(_ facts: CPUIDFacts) -> Self {
    Self(facts)
      .pass(0)                                // CLZERO
      .hide(1)                                // InstRetCntMsr
      .pass(2)                                // RstrFpErrPtrs
      .hide(3)                                // INVLPGB          reaches beyond the guest
      .hide(4)                                // RDPRU            reads counters that are not the guest's
      .hide(8)                                // MCOMMIT          an MSR and EFER bit the guest may not set
      .pass(9)                                // WBNOINVD
      .force(12, if: facts.passesPredictionCommand)  // IBPB      PRED_CMD is a command; Linux asks here on Intel, too
      .hide(13)                               // INT_WBINVD
      .pass(14, if: facts.canControl(1 << 0)) // IBRS             SPEC_CTRL
      .pass(15, if: facts.canControl(1 << 1)) // STIBP            SPEC_CTRL
      .pass(16, if: facts.canControl(1 << 0)) // IbrsAlwaysOn     how the machine wants it used
      .pass(17, if: facts.canControl(1 << 1)) // StibpAlwaysOn
      .pass(18, if: facts.canControl(1 << 0)) // IbrsPreferred
      .pass(19, if: facts.canControl(1 << 0)) // IbrsSameMode
      .pass(20)                               // EferLmsleUnsupported  says what the machine has not
      .pass(24, if: facts.canControl(1 << 2)) // SSBD             SPEC_CTRL
      .hide(25)                               // VIRT_SSBD        VIRT_SPEC_CTRL is not passed through
      .pass(26)                               // SsbdNotRequired  says what the machine needs not, no MSR
      .hide(27)                               // CPPC             MSRs of the machine
      .pass(28, if: facts.canControl(1 << 7)) // PSFD             SPEC_CTRL
      .pass(29)                               // BTC_NO           says what the machine needs not
      .pass(30, if: facts.passesPredictionCommand)  // IBPB_RET   what PRED_CMD does besides
  }

  /// Leaf 8000_0021, EAX.
  static func extended2EAX(_ facts: CPUIDFacts) -> Self {
    Self(facts)
      .pass(0)                                // NoNestedDataBp
      .pass(2)                                // LfenceAlwaysSerializing
      .hide(3)                                // SmmPgCfgLock
      .pass(5)                                // VERW_CLEAR       VERW, no MSR
      .pass(6)                                // NullSelectClearsBase
      .hide(7)                                // UpperAddressIgnore  a bit of EFER the guest may not set
      .hide(8)                                // AutomaticIBRS    a bit of EFER the guest may not set
      .pass(9)                                // NoSmmCtlMSR
      .pass(10)                               // FSRS
      .pass(11)                               // FSRC
      .hide(17)                               // CpuidUserDis     HWCR bit that we do not enforce
      .pass(27, if: facts.passesPredictionCommand)  // SBPB       PRED_CMD
      .pass(28, if: facts.passesPredictionCommand)  // IBPB_BRTYPE  PRED_CMD
      .pass(29)                               // SRSO_NO          says what the machine needs not
      .pass(30)                               // SRSO_USER_KERNEL_NO
      .hide(31)                               // SRSO_BP_SPEC_REDUCE  an MSR the guest has not
  }

  /// Leaf 8000_0021, ECX.
  static func extended2ECX(_ facts: CPUIDFacts) -> Self {
    Self(facts)
      .pass(1)                                // TSA_SQ_NO        says what the machine needs not
      .pass(2)                                // TSA_L1_NO
  }

  /// Leaf 4000_0001, EAX (Linux, Documentation/virt/kvm/x86/cpuid.rst): all of it ours.
  static func paravirtualEAX(_ facts: CPUIDFacts) -> Self {
    Self(facts)
      .force(0)                               // CLOCKSOURCE          clock in MSRs 11 and 12
      .force(1)                               // NOP_IO_DELAY         no waiting for slow devices: two exits less per port access
      .force(3)                               // CLOCKSOURCE2         clock in MSRs 4B56_4D00 and 4B56_4D01
      .hide(4)                                // ASYNC_PF             guest memory is always there
      .hide(5)                                // STEAL_TIME           not measured
      .force(6)                               // PV_EOI               end of interrupt without an exit
      .hide(7)                                // PV_UNHALT            one core: no lock holder to wake
      .hide(9)                                // PV_TLB_FLUSH         one core
      .hide(11)                               // PV_SEND_IPI          one core
      .hide(12)                               // POLL_CONTROL         nobody polls for an idle guest
      .hide(15)                               // MSI_EXT_DEST_ID      APIC identifiers are small
      .force(24)                              // CLOCKSOURCE_STABLE   the clock never goes back
  }
}
