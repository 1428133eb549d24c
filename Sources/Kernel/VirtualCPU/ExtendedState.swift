// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Speculation
import X86

/// The registers of a vCPU that neither the processor nor the exit path switches: x87, SSE, AVX; DR0-3; TSC_AUX; on VMX
/// those of SYSCALL and SWAPGS.
///
/// The kernel and the components use none of them, so they stay in the core while they run, and move only when another
/// vCPU comes to it. CR0.TS is set outside guests: a component that touches them is stopped.
struct ExtendedState: ~Copyable {
  /// The XSAVE area, 64-byte aligned.
  private let area: PhysicalExtent
  private let hasXSAVE: Bool
  private let hasTSCAuxiliary: Bool
  private let movesCalls: Bool
  /// Whether x87's pointers may outlast XRSTOR.
  private let clearsPointers: Bool
  /// All states that the processor has.
  private let all: UInt64
  /// The guest's XCR0.
  var selected: UInt64 = 1
  /// What XCR0 holds while this vCPU's registers are in the core.
  private var selectedInCore: UInt64 = 0
  private var debug = DebugAddresses()
  private var tscAuxiliary: UInt64 = 0
  private var calls = CallRegisters()

  /// - Parameter movesCalls: Whether nothing else switches the registers of SYSCALL and SWAPGS.
  init(area: PhysicalExtent, features: ProcessorFeatures, _ plan: SpeculationPlan, movesCalls: Bool) {
    self.area = area
    hasXSAVE = features.hasXSAVE
    hasTSCAuxiliary = features.hasRDTSCP
    self.movesCalls = movesCalls
    all = features.supportedXCR0
    clearsPointers = plan.measures.contains(.clearsPointers)
    reset()
  }

  /// As after a processor reset.
  mutating func reset() {
    // SAFETY: the area was dealt out for this, in whole pages, and is at least the 512 bytes of FXSAVE, or the 576 of
    // XSAVE where there is that.
    let pointer = unsafe DirectMap.pointer(area.start)
    unsafe pointer.initializeMemory(as: UInt64.self, repeating: 0, count: Int(area.size / 8))
    unsafe pointer.storeBytes(of: 0x37f, as: UInt16.self)
    unsafe pointer.storeBytes(of: 0x1f80, toByteOffset: 24, as: UInt32.self)
    // An XRSTOR from an area with an empty header gives the initial state; the control words come with bits 0 and 1.
    if hasXSAVE { unsafe pointer.storeBytes(of: 3, toByteOffset: 512, as: UInt64.self) }
    selected = 1
    debug = DebugAddresses()
    tscAuxiliary = 0
    calls = CallRegisters()
  }

  /// Takes the registers out of the core.
  /// - Returns: What they leave behind in it.
  mutating func save() -> Residue {
    cx86_clear_ts()
    if hasXSAVE {
      if selectedInCore != all { cx86_xsetbv(all) }
      // SAFETY: the area is page-aligned and as large as CPUID asked for.
      unsafe cx86_xsave(DirectMap.pointer(area.start), all)
    } else {
      // SAFETY: the area is page-aligned, and a page is more than FXSAVE writes.
      unsafe cx86_fxsave(DirectMap.pointer(area.start))
    }
    debug = DebugAddresses.inCore
    if hasTSCAuxiliary { tscAuxiliary = MSR.tscAuxiliary.value }
    if movesCalls { calls = .inCore }
    return Residue(debug: debug, tscAuxiliary: tscAuxiliary, calls: calls)
  }

  /// Takes the registers out of the core, and leaves nothing of them in it: a processor may compute with them although
  /// CR0.TS forbids it.
  mutating func withdraw() {
    _ = save()
    var empty = EmptyState()
    // SAFETY: 64-byte aligned inside `EmptyState`, which has room for that; the header is empty, so the registers get
    // their initial state and nothing beyond it is read.
    unsafe withUnsafeMutableBytes(of: &empty) { bytes in
      guard let base = bytes.baseAddress else { return }
      let aligned = unsafe base.alignedUp(toMultipleOf: 64)
      if hasXSAVE { unsafe cx86_xrstor(aligned, all) } else { unsafe cx86_fxrstor(aligned) }
    }
    cx86_write_cr0(cx86_read_cr0() | CR0.taskSwitched.rawValue)
  }

  /// Puts the registers into the core, and forbids them to all but guests. Each store to some of them takes the
  /// processor long, so nothing is stored where `residue`, what the last vCPU left, says the same.
  mutating func restore(over residue: Residue?) {
    cx86_clear_ts()
    if clearsPointers { cx86_clear_pointers() }
    if hasXSAVE {
      if residue == nil { cx86_xsetbv(all) }
      // SAFETY: the area was written by XSAVE or `reset`, and by nobody else.
      unsafe cx86_xrstor(DirectMap.pointer(area.start), all)
    } else {
      // SAFETY: the area was written by FXSAVE or `reset`, and by nobody else.
      unsafe cx86_fxrstor(DirectMap.pointer(area.start))
    }
    cx86_write_cr0(cx86_read_cr0() | CR0.taskSwitched.rawValue)
    if residue?.debug != debug { debug.load() }
    if hasTSCAuxiliary, residue?.tscAuxiliary != tscAuxiliary { MSR.tscAuxiliary.value = tscAuxiliary }
    if movesCalls { calls.load(over: residue?.calls) }
    selectedInCore = all
  }

  /// Gives the guest the XCR0 it chose.
  mutating func select() {
    guard hasXSAVE, selectedInCore != selected else { return }
    cx86_xsetbv(selected)
    selectedInCore = selected
  }

  /// The guest has run: not every processor leaves it for XSETBV, though asked to (QEMU 7.2's TCG does not).
  mutating func noticeSelection() {
    guard hasXSAVE else { return }
    selectedInCore = cx86_xgetbv()
    selected = selectedInCore
  }

  /// Whether the processor takes `value` for XCR0.
  func accepts(_ value: UInt64) -> Bool { StateComponents.isValid(value, supported: all) }

  /// What a vCPU whose registers were saved leaves in the core; XCR0 holds everything then.
  struct Residue {
    fileprivate var debug: DebugAddresses
    fileprivate var tscAuxiliary: UInt64
    fileprivate var calls: CallRegisters
  }
}

/// What SYSCALL and SWAPGS use. The host uses neither where these move with a vCPU: EFER.SCE is 0 outside guests, so that
/// SYSCALL is #UD whatever they hold, and ring 3 has no SWAPGS.
private struct CallRegisters {
  private var star: UInt64 = 0
  private var longStar: UInt64 = 0
  private var compatibleStar: UInt64 = 0
  private var flagMask: UInt64 = 0
  private var kernelGSBase: UInt64 = 0

  /// Those of this core.
  static var inCore: CallRegisters {
    var found = CallRegisters()
    found.star = MSR.star.value
    found.longStar = MSR.longStar.value
    found.compatibleStar = MSR.compatibleStar.value
    found.flagMask = MSR.callFlagMask.value
    found.kernelGSBase = MSR.kernelGSBase.value
    return found
  }

  /// Makes them this core's, which holds `others` if that is known. Each was a processor's or is 0: it takes them.
  func load(over others: CallRegisters?) {
    if others?.star != star { MSR.star.value = star }
    if others?.longStar != longStar { MSR.longStar.value = longStar }
    if others?.compatibleStar != compatibleStar { MSR.compatibleStar.value = compatibleStar }
    if others?.flagMask != flagMask { MSR.callFlagMask.value = flagMask }
    if others?.kernelGSBase != kernelGSBase { MSR.kernelGSBase.value = kernelGSBase }
  }
}

/// An XSAVE area without any state: 576 bytes, and what it takes to align them.
private struct EmptyState {
  private var words: InlineArray<80, UInt64> = InlineArray(repeating: 0)
}

/// DR0 to DR3.
private struct DebugAddresses: Equatable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  /// Those of this core.
  static var inCore: DebugAddresses {
    var found = DebugAddresses()
    // SAFETY: four words are read into four.
    unsafe withUnsafeMutablePointer(to: &found.words) {
      unsafe cx86_read_debug(UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt64.self))
    }
    return found
  }

  /// Makes them this core's.
  func load() {
    // SAFETY: four words are written from four.
    unsafe withUnsafePointer(to: words) {
      unsafe cx86_write_debug(UnsafeRawPointer($0).assumingMemoryBound(to: UInt64.self))
    }
  }

  static func == (one: Self, other: Self) -> Bool { one.words == other.words }
}
