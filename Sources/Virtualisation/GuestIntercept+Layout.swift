// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

// AMD APM volume 2, table B-1 and §15.9 to §15.13; Intel SDM volume 3, §25.6.1, §25.6.2 and §26.1. Why each is as it is:
// decision 26.

extension GuestIntercept {
  /// Events, and what reaches the processor's registers.
  static var eventsAndRegisters: [32 of GuestIntercept] {
    [
      // Events.
      GuestIntercept("interrupt",        svm: .exits(.first, 0),          vmx: .exits(.pin, PinControl.interrupt)),
      GuestIntercept("NMI",              svm: .exits(.first, 1),          vmx: .exits(.pin, PinControl.nonMaskable)),
      GuestIntercept("SMI",              svm: .exits(.first, 2),          vmx: .ownAlways),            // the firmware's, past all
      GuestIntercept("INIT",             svm: .exits(.first, 3),          vmx: .always),
      GuestIntercept("virtual interrupt", svm: .own(.first, 4),           vmx: .ownAlways),
      GuestIntercept("task switch",      svm: .own(.first, 29),           vmx: .always),
      GuestIntercept("FERR freeze",      svm: .own(.first, 30),           vmx: .undefined),            // an interrupt ends it
      GuestIntercept("shutdown",         svm: .exits(.first, 31),         vmx: .always),
      GuestIntercept("bus lock",         svm: .own(.third, 5),            vmx: .ownAlways),
      // Control, debug and system registers.
      GuestIntercept("MOV to CR0",       svm: .own(.control, 16),         vmx: .masked),
      GuestIntercept("CR0, but TS, MP",  svm: .own(.first, 5),            vmx: .masked),
      GuestIntercept("MOV to CR3",       svm: .own(.control, 19),         vmx: .own(ProcessorControl.loadCR3)),
      GuestIntercept("MOV from CR3",     svm: .own(.control, 3),          vmx: .own(ProcessorControl.storeCR3)),
      GuestIntercept("MOV to CR4",       svm: .exitsOnNewer(.control, 20), vmx: .masked),
      GuestIntercept("MOV to CR8",       svm: .own(.control, 24),         vmx: .own(ProcessorControl.loadCR8)),
      GuestIntercept("MOV from CR8",     svm: .own(.control, 8),          vmx: .own(ProcessorControl.storeCR8)),
      GuestIntercept("MOV DR",           svm: .own(.debug, 0),            vmx: .own(ProcessorControl.moveDebug)),
      GuestIntercept("SIDT",             svm: .own(.first, 6),            vmx: .ownAlways),
      GuestIntercept("SGDT",             svm: .own(.first, 7),            vmx: .ownAlways),
      GuestIntercept("SLDT",             svm: .own(.first, 8),            vmx: .ownAlways),
      GuestIntercept("STR",              svm: .own(.first, 9),            vmx: .ownAlways),
      GuestIntercept("LIDT",             svm: .own(.first, 10),           vmx: .ownAlways),
      GuestIntercept("LGDT",             svm: .own(.first, 11),           vmx: .ownAlways),
      GuestIntercept("LLDT",             svm: .own(.first, 12),           vmx: .ownAlways),
      GuestIntercept("LTR",              svm: .own(.first, 13),           vmx: .ownAlways),
      GuestIntercept("RDTSC",            svm: .own(.first, 14),           vmx: .own(ProcessorControl.readTSC)),  // with an offset
      GuestIntercept("RDTSCP",           svm: .own(.second, 7),           vmx: .ownAlways),
      GuestIntercept("RDPMC",            svm: .exits(.first, 15),         vmx: .exits(.processor, ProcessorControl.readCounter)),
      GuestIntercept("RDPRU",            svm: .exits(.second, 14),        vmx: .undefined),            // the core's clocks
      GuestIntercept("RDMSR, WRMSR",     svm: .exits(.first, 28),         vmx: .exits(.processor, ProcessorControl.registerMaps)),
      GuestIntercept("XSETBV",           svm: .exits(.second, 13),        vmx: .always),
      GuestIntercept("MCOMMIT",          svm: .undefined(.third, 3),      vmx: .undefined),            // EFER.MCOMMIT is refused
    ]
  }

  /// Instructions of other kinds.
  static var instructions: [21 of GuestIntercept] {
    [
      // Flow.
      GuestIntercept("PUSHF",            svm: .own(.first, 16),           vmx: .ownAlways),
      GuestIntercept("POPF",             svm: .own(.first, 17),           vmx: .ownAlways),
      GuestIntercept("RSM",              svm: .undefined(.first, 19),     vmx: .always),
      GuestIntercept("IRET",             svm: .own(.first, 20),           vmx: .ownAlways),
      GuestIntercept("INT n",            svm: .own(.first, 21),           vmx: .ownAlways),
      GuestIntercept("ICEBP",            svm: .own(.second, 8),           vmx: .bitmap),
      GuestIntercept("PAUSE",            svm: .own(.first, 23),           vmx: .own(ProcessorControl.pause)),
      GuestIntercept("HLT",              svm: .exits(.first, 24),         vmx: .exits(.processor, ProcessorControl.halt)),
      GuestIntercept("MONITOR",          svm: .exits(.second, 10),        vmx: .exits(.processor, ProcessorControl.monitor)),
      GuestIntercept("MWAIT",            svm: .exits(.second, 11),        vmx: .exits(.processor, ProcessorControl.monitorWait)),
      GuestIntercept("MWAIT, armed",     svm: .exits(.second, 12),        vmx: .exits(.processor, ProcessorControl.monitorWait)),
      GuestIntercept("CPUID",            svm: .exits(.first, 18),         vmx: .always),
      GuestIntercept("IN, OUT",          svm: .exits(.first, 27),         vmx: .exits(.processor, ProcessorControl.portMaps)),
      // Caches and translations.
      GuestIntercept("INVD",             svm: .exits(.first, 22),         vmx: .always),
      GuestIntercept("WBINVD",           svm: .exits(.second, 9),         vmx: .exits(.secondary, SecondaryControl.writeBackInvalidate)),
      GuestIntercept("INVLPG",           svm: .own(.first, 25),           vmx: .own(ProcessorControl.invalidatePage)),
      GuestIntercept("INVPCID",          svm: .own(.third, 2),            vmx: .ownAlways),
      GuestIntercept("INVLPGA",          svm: .exits(.first, 26),         vmx: .undefined),
      GuestIntercept("INVLPGB",          svm: .undefined(.third, 0),      vmx: .undefined),            // VMCB 090h bit 7 is clear
      GuestIntercept("INVLPGB, illegal", svm: .undefined(.third, 1),      vmx: .undefined),
      GuestIntercept("TLBSYNC",          svm: .undefined(.third, 4),      vmx: .undefined),
    ]
  }

  /// Instructions that are for hypervisors, or that have no bit on AMD.
  static var rareInstructions: [15 of GuestIntercept] {
    [
      // A hypervisor's own instructions.
      GuestIntercept("VMRUN",            svm: .exits(.second, 0),         vmx: .always),
      GuestIntercept("VMMCALL, VMCALL",  svm: .exits(.second, 1),         vmx: .always),
      GuestIntercept("VMLOAD",           svm: .exits(.second, 2),         vmx: .always),
      GuestIntercept("VMSAVE",           svm: .exits(.second, 3),         vmx: .always),
      GuestIntercept("STGI",             svm: .exits(.second, 4),         vmx: .undefined),
      GuestIntercept("CLGI",             svm: .exits(.second, 5),         vmx: .undefined),
      GuestIntercept("SKINIT, GETSEC",   svm: .exits(.second, 6),         vmx: .always),
      GuestIntercept("VMXON to VMXOFF",  svm: .none,                      vmx: .always),
      GuestIntercept("INVEPT, INVVPID",  svm: .none,                      vmx: .always),
      GuestIntercept("VMFUNC",           svm: .none,                      vmx: .undefined),
      // What has no bit on AMD; on Intel a control lets it be, and is off.
      GuestIntercept("XSAVES, XRSTORS",  svm: .none,                      vmx: .undefined),            // on AMD XSS is 0
      GuestIntercept("TPAUSE, UMWAIT",   svm: .none,                      vmx: .undefined),
      GuestIntercept("PCONFIG",          svm: .none,                      vmx: .undefined),
      GuestIntercept("LOADIWKEY",        svm: .none,                      vmx: .undefined),            // CR4.KL is refused
      GuestIntercept("ENCLS, ENCLV",     svm: .none,                      vmx: .ownAlways),            // no guest has enclave memory
    ]
  }

  /// Exceptions that a processor could deliver for ever with no instruction between, or that are the machine's own; all
  /// others are the guest's.
  package static var exceptionRows: [3 of GuestIntercept] {
    [
      GuestIntercept("#DB",              svm: .exits(.exceptions, 1),     vmx: .bitmap),
      GuestIntercept("#AC",              svm: .exits(.exceptions, 17),    vmx: .bitmap),
      GuestIntercept("#MC",              svm: .exits(.exceptions, 18),    vmx: .bitmap),
    ]
  }
}
