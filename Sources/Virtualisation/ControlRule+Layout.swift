// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

// Who has which bit of the control registers while a guest runs: decision 26. AMD APM volume 2, §3.1; Intel SDM
// volume 3, §2.5, §2.2.1. VMRUN and #VMEXIT load all of CR0, CR4 and EFER (APM volume 2, §15.5.1); VM entry and exit all
// but CR0.ET, NW and CD (SDM volume 3, §27.3.2.1, §28.5.1).

extension ControlBit {
  package static var cr0: [11 of ControlBit] {
    [
      ControlBit(0,  "PE",         svm: .guests,  vmx: .guests),
      ControlBit(1,  "MP",         svm: .guests,  vmx: .guests),
      ControlBit(2,  "EM",         svm: .guests,  vmx: .guests),
      ControlBit(3,  "TS",         svm: .guests,  vmx: .guests),
      ControlBit(4,  "ET",         svm: .guests,  vmx: .guests),  // always 1
      ControlBit(5,  "NE",         svm: .guests,  vmx: .held1),   // VMX wants it so
      ControlBit(16, "WP",         svm: .guests,  vmx: .guests),
      ControlBit(18, "AM",         svm: .guests,  vmx: .guests),
      ControlBit(29, "NW",         svm: .guests,  vmx: .held0),   // an exit would leave it to the kernel
      ControlBit(30, "CD",         svm: .guests,  vmx: .held0),   // likewise: no caches for all that is on the core
      ControlBit(31, "PG",         svm: .guests,  vmx: .guests),
    ]
  }

  package static var cr4: [28 of ControlBit] {
    [
      ControlBit(0,  "VME",        svm: .guests,  vmx: .guests),
      ControlBit(1,  "PVI",        svm: .guests,  vmx: .guests),
      ControlBit(2,  "TSD",        svm: .guests,  vmx: .guests),
      ControlBit(3,  "DE",         svm: .guests,  vmx: .guests),
      ControlBit(4,  "PSE",        svm: .guests,  vmx: .guests),
      ControlBit(5,  "PAE",        svm: .guests,  vmx: .guests),
      ControlBit(6,  "MCE",        svm: .held1,   vmx: .refused), // 1 in every guest: machine checks are the kernel's
      ControlBit(7,  "PGE",        svm: .guests,  vmx: .guests),
      ControlBit(8,  "PCE",        svm: .guests,  vmx: .guests),  // RDPMC exits all the same
      ControlBit(9,  "OSFXSR",     svm: .guests,  vmx: .guests),
      ControlBit(10, "OSXMMEXCPT", svm: .guests,  vmx: .guests),
      ControlBit(11, "UMIP",       svm: .guests,  vmx: .guests),
      ControlBit(12, "LA57",       svm: .refused, vmx: .refused), // page walks of ours know four levels
      ControlBit(13, "VMXE",       svm: .refused, vmx: .refused), // 1 behind the guest's back on VMX
      ControlBit(14, "SMXE",       svm: .refused, vmx: .refused),
      ControlBit(16, "FSGSBASE",   svm: .guests,  vmx: .guests),
      ControlBit(17, "PCIDE",      svm: .guests,  vmx: .guests),
      ControlBit(18, "OSXSAVE",    svm: .guests,  vmx: .guests),
      ControlBit(19, "KL",         svm: .refused, vmx: .refused), // LOADIWKEY loads a key of the whole core
      ControlBit(20, "SMEP",       svm: .guests,  vmx: .guests),
      ControlBit(21, "SMAP",       svm: .guests,  vmx: .guests),
      ControlBit(22, "PKE",        svm: .guests,  vmx: .guests),  // PKRU is in XCR0
      ControlBit(23, "CET",        svm: .refused, vmx: .refused), // its registers are not switched
      ControlBit(24, "PKS",        svm: .refused, vmx: .refused), // likewise
      ControlBit(25, "UINTR",      svm: .refused, vmx: .refused), // likewise
      ControlBit(27, "LASS",       svm: .refused, vmx: .refused),
      ControlBit(28, "LAM_SUP",    svm: .refused, vmx: .refused), // page walks of ours know no tags in addresses
      ControlBit(32, "FRED",       svm: .refused, vmx: .refused), // its registers are not switched
    ]
  }

  /// Every write of EFER exits, and the VMM refuses what is refused here (`MSRPolicy`); the kernel takes no such bit from a
  /// VMM.
  package static var efer: [12 of ControlBit] {
    [
      ControlBit(0,  "SCE",        svm: .guests,  vmx: .guests),
      ControlBit(8,  "LME",        svm: .guests,  vmx: .guests),
      ControlBit(10, "LMA",        svm: .guests,  vmx: .refused), // on VMX it follows from LME and CR0.PG
      ControlBit(11, "NXE",        svm: .guests,  vmx: .guests),
      ControlBit(12, "SVME",       svm: .held1,   vmx: .refused), // VMRUN wants it so
      ControlBit(13, "LMSLE",      svm: .refused, vmx: .refused),
      ControlBit(14, "FFXSR",      svm: .refused, vmx: .refused),
      ControlBit(15, "TCE",        svm: .refused, vmx: .refused),
      ControlBit(17, "MCOMMIT",    svm: .refused, vmx: .refused),
      ControlBit(18, "INTWB",      svm: .refused, vmx: .refused),
      ControlBit(20, "UAIE",       svm: .refused, vmx: .refused), // page walks of ours know no tags in addresses
      ControlBit(21, "AIBRSE",     svm: .refused, vmx: .refused),
    ]
  }
}
