// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

// Every other register exits, and is what `MSRPolicy` of the guest's PC says (AMD APM volume 2, appendix A, and §15.5.2 for
// VMLOAD and VMSAVE; Intel SDM volume 3, §25.4.1, §27.4).

extension GuestRegister {
  package static var all: [14 of GuestRegister] {
    [
      GuestRegister(0x0000_0048, "SPEC_CTRL",     svm: .control,       vmx: .control),
      GuestRegister(0x0000_0049, "PRED_CMD",      svm: .command,       vmx: .command),
      GuestRegister(0x0000_010B, "FLUSH_CMD",     svm: .absent,        vmx: .command),
      GuestRegister(0x0000_0174, "SYSENTER_CS",   svm: .loadAndSave,   vmx: .fields),
      GuestRegister(0x0000_0175, "SYSENTER_ESP",  svm: .loadAndSave,   vmx: .fields),
      GuestRegister(0x0000_0176, "SYSENTER_EIP",  svm: .loadAndSave,   vmx: .fields),
      GuestRegister(0xC000_0081, "STAR",          svm: .loadAndSave,   vmx: .extendedState),
      GuestRegister(0xC000_0082, "LSTAR",         svm: .loadAndSave,   vmx: .extendedState),
      GuestRegister(0xC000_0083, "CSTAR",         svm: .loadAndSave,   vmx: .extendedState),
      GuestRegister(0xC000_0084, "SFMASK",        svm: .loadAndSave,   vmx: .extendedState),
      GuestRegister(0xC000_0100, "FS.base",       svm: .loadAndSave,   vmx: .fields),
      GuestRegister(0xC000_0101, "GS.base",       svm: .loadAndSave,   vmx: .fields),
      GuestRegister(0xC000_0102, "KernelGSbase",  svm: .loadAndSave,   vmx: .extendedState),
      GuestRegister(0xC000_0103, "TSC_AUX",       svm: .extendedState, vmx: .extendedState),
    ]
  }
}
