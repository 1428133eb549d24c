// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

// Intel SDM volume 3, tables 25-5 to 25-15.

/// Pin-based VM-execution controls.
enum PinControl {
  static var interrupt: VMXControl            { VMXControl(0, "external-interrupt exiting") }
  static var nonMaskable: VMXControl          { VMXControl(3, "NMI exiting") }
  static var virtualNonMaskable: VMXControl   { VMXControl(5, "virtual NMIs") }
  static var timer: VMXControl                { VMXControl(6, "activate VMX-preemption timer") }
  static var postedInterrupts: VMXControl     { VMXControl(7, "process posted interrupts") }
}

/// Primary processor-based VM-execution controls.
package enum ProcessorControl {
  package static var interruptWindow: VMXControl { VMXControl(2, "interrupt-window exiting") }
  static var offsetTSC: VMXControl            { VMXControl(3, "use TSC offsetting") }
  static var halt: VMXControl                 { VMXControl(7, "HLT exiting") }
  static var invalidatePage: VMXControl       { VMXControl(9, "INVLPG exiting") }
  static var monitorWait: VMXControl          { VMXControl(10, "MWAIT exiting") }
  static var readCounter: VMXControl          { VMXControl(11, "RDPMC exiting") }
  static var readTSC: VMXControl              { VMXControl(12, "RDTSC exiting") }
  static var loadCR3: VMXControl              { VMXControl(15, "CR3-load exiting") }
  static var storeCR3: VMXControl             { VMXControl(16, "CR3-store exiting") }
  static var loadCR8: VMXControl              { VMXControl(19, "CR8-load exiting") }
  static var storeCR8: VMXControl             { VMXControl(20, "CR8-store exiting") }
  static var shadowPriority: VMXControl       { VMXControl(21, "use TPR shadow") }
  static var moveDebug: VMXControl            { VMXControl(23, "MOV-DR exiting") }
  static var portMaps: VMXControl             { VMXControl(25, "use I/O bitmaps") }
  static var registerMaps: VMXControl         { VMXControl(28, "use MSR bitmaps") }
  static var monitor: VMXControl              { VMXControl(29, "MONITOR exiting") }
  static var pause: VMXControl                { VMXControl(30, "PAUSE exiting") }
  static var secondary: VMXControl            { VMXControl(31, "secondary controls") }
}

/// Secondary processor-based VM-execution controls.
enum SecondaryControl {
  static var nestedPaging: VMXControl         { VMXControl(1, "enable EPT") }
  static var readTSCP: VMXControl             { VMXControl(3, "enable RDTSCP") }
  static var extendedAPIC: VMXControl         { VMXControl(4, "virtualize x2APIC mode") }
  static var identifiers: VMXControl          { VMXControl(5, "enable VPID") }
  static var writeBackInvalidate: VMXControl  { VMXControl(6, "WBINVD exiting") }
  static var unrestricted: VMXControl         { VMXControl(7, "unrestricted guest") }
  static var deliverInterrupts: VMXControl    { VMXControl(9, "virtual-interrupt delivery") }
  static var invalidateContext: VMXControl    { VMXControl(12, "enable INVPCID") }
}

/// VM-exit controls.
enum ExitControl {
  static var saveDebug: VMXControl            { VMXControl(2, "save debug controls") }
  static var longMode: VMXControl             { VMXControl(9, "host address-space size") }
  static var takeInterrupt: VMXControl        { VMXControl(15, "acknowledge interrupt on exit") }
  static var savePAT: VMXControl              { VMXControl(18, "save IA32_PAT") }
  static var loadPAT: VMXControl              { VMXControl(19, "load host IA32_PAT") }
  static var saveEFER: VMXControl             { VMXControl(20, "save IA32_EFER") }
  static var loadEFER: VMXControl             { VMXControl(21, "load host IA32_EFER") }
  static var saveTimer: VMXControl            { VMXControl(22, "save VMX-preemption timer value") }
}

/// VM-entry controls.
package enum EntryControl {
  static var loadDebug: VMXControl            { VMXControl(2, "load debug controls") }
  package static var longMode: VMXControl     { VMXControl(9, "IA-32e mode guest") }
  static var loadPAT: VMXControl              { VMXControl(14, "load guest IA32_PAT") }
  static var loadEFER: VMXControl             { VMXControl(15, "load guest IA32_EFER") }
}
