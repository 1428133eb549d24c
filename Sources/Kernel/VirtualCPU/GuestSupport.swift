// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Speculation
import Virtualisation
import X86

/// The vendor's virtualisation that this machine's processors have, found once at boot: here, and in what runs one guest
/// (`AnyGuestProcessor`), the vendors differ; nowhere else.
enum GuestSupport {
  case svm(SVMCapabilities)
  case vmx(VMXControls)

  /// - Throws: Why this processor cannot run guests.
  init(_ features: ProcessorFeatures) throws(BootError) {
    if features.hasSVM {
      self = .svm(try SVMSupport.capabilities(features))
    } else if features.hasVMX {
      self = .vmx(try VMXSupport.controls())
    } else {
      throw .refused("this processor has no AMD SVM and no Intel VMX; on QEMU, pass -cpu EPYC,+svm,+npt")
    }
  }

  /// Turns it on for this core, whose tables and registers are the kernel's by now.
  func enable(_ memory: CoreMemory, gates: PhysicalAddress, _ plan: SpeculationPlan) {
    switch self {
    case .svm: SVMSupport.enable(memory)
    case .vmx(let controls): VMXSupport.enable(memory, gates: gates, revision: controls.revision, plan)
    }
  }

  /// Whether a guest leaves by itself at the end of its turn.
  var hasGuestTimer: Bool {
    switch self {
    case .svm: false
    case .vmx(let controls): controls.timer != nil
    }
  }

  /// Whether processors can do the work of a guest's local APIC.
  var sharesControllers: Bool {
    switch self {
    case .svm: false
    case .vmx(let controls): controls.sharing != 0
    }
  }

  /// Whether interrupts of other cores reach a guest that runs with no exit, if its local APIC is shared.
  var postsInterrupts: Bool {
    switch self {
    case .svm: false
    case .vmx(let controls): controls.posting != 0
    }
  }

  /// Whether guests keep the registers of SYSCALL while components run, which then call by a gate.
  var callsByGate: Bool { vendor == SystemInformation.vmx }

  /// What `SystemInformation` calls it.
  var vendor: UInt32 {
    switch self {
    case .svm: SystemInformation.svm
    case .vmx: SystemInformation.vmx
    }
  }
}

/// Makes processors of guests, at boot.
struct GuestMaker {
  private enum Kind {
    case svm(SVMCapabilities, SVMPermissions)
    case vmx(VMXControls, VMXPermissions)
  }

  let features: ProcessorFeatures
  let speculation: ProcessorSpeculation
  private let kind: Kind

  init(
    _ support: GuestSupport, _ features: ProcessorFeatures, _ speculation: ProcessorSpeculation,
    _ memory: inout BootMemory
  ) throws(BootError) {
    self.features = features
    self.speculation = speculation
    kind =
      switch support {
      case .svm(let capabilities): .svm(capabilities, try SVMPermissions(speculation.guests, capabilities, &memory))
      case .vmx(let controls): .vmx(controls, try VMXPermissions(speculation.guests, &memory))
      }
  }

  /// Whether the registers of a guest's SYSCALL and SWAPGS are among those that move when another vCPU comes to a core.
  var movesCallRegisters: Bool { if case .vmx = kind { true } else { false } }

  /// Numbers there are for the translations of guests, 0 included, which is the host's.
  var identifierCount: Int {
    switch kind {
    case .svm(let capabilities, _): Int(capabilities.identifierCount)
    case .vmx: 0x1_0000
    }
  }

  /// How the entries of nested page tables look.
  var form: EntryForm {
    switch kind {
    case .svm: .processor
    case .vmx: .extended
    }
  }

  /// The largest page of a nested page table: guests execute from all of them.
  var largestPage: PageSize {
    guard !speculation.plan.measures.contains(.mapsSmall) else { return .small }
    return switch kind {
    case .svm: features.hasGiBPages ? .huge : .large
    case .vmx(let controls, _): controls.hasHugePages ? .huge : controls.hasLargePages ? .large : .small
    }
  }

  /// The processor of the guest whose memory is `guest`, on the core whose page for the host is `host`.
  func make(
    _ guest: AddressSpace, identifier: UInt32, host: PhysicalAddress,
    overlay: (entry: Cell<PageTableEntry>, shown: PageTableEntry)?, from memory: inout BootMemory
  ) throws(BootError) -> AnyGuestProcessor {
    switch kind {
    case .svm(let capabilities, let permissions):
      .svm(
        try memory.cell(
          SVMProcessor(
            vmcb: VMCB.new(at: try memory.page()), memory: guest, asid: identifier, permissions: permissions,
            capabilities: capabilities,
            intercepts: SVMIntercepts(watchesCR4: capabilities.canSettleMoves && features.hasINVPCID),
            control: capabilities.switchesControl ? .absent : control,
            isTranslated: features.isTranslated, overlay: overlay)))
    case .vmx(let controls, let permissions):
      .vmx(
        try memory.cell(
          VMXProcessor(
            memory: guest, identifier: identifier, permissions: permissions, controls: controls, control: control,
            host: host, overlay: overlay, from: &memory)))
    }
  }

  /// A guest's SPEC_CTRL.
  private var control: GuestControl {
    GuestControl(allowed: speculation.guests.control, host: speculation.plan.control)
  }
}

extension VMCB {
  /// An empty VMCB in the zeroed page at `address`.
  static func new(at address: PhysicalAddress) -> VMCB {
    // SAFETY: the direct map holds the page for good.
    unsafe VMCB(address: address, unsafeBase: DirectMap.pointer(address))
  }
}
