// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import Firmware
import Processors
import X86
import _Volatile

/// The way to this core's interrupt controller: a page of memory, or model-specific registers.
struct MachineAPIC: APICAccess {
  let mode: APICMode
  /// Where the page is, below 4 GiB; in x2APIC mode nobody looks there.
  private let base: PhysicalAddress

  init(_ mode: APICMode, base: PhysicalAddress) {
    self.mode = mode
    self.base = base
  }

  func read(_ register: APICRegister) -> UInt32 {
    guard mode == .memory else { return UInt32(truncatingIfNeeded: MSR(register.number).value) }
    return page(register).load()
  }

  func write(_ value: UInt32, to register: APICRegister) {
    guard mode == .memory else {
      MSR(register.number).value = UInt64(value)
      return
    }
    page(register).store(value)
  }

  /// These registers are written with no regard to stores before (Intel SDM volume 3, §11.12.3): another core must not
  /// hear of something before it is there.
  func writeCommand(_ value: UInt64) {
    cx86_fence_all()
    MSR(APICRegister.commandLow.number).value = value
  }

  func readBase() -> UInt64 { MSR.apicBase.value }

  func writeBase(_ value: UInt64) { MSR.apicBase.value = value }

  func pause() { cx86_pause() }

  private func page(_ register: APICRegister) -> VolatileMappedRegister<UInt32> {
    // SAFETY: the page at `base` holds the controller's registers, mapped uncached.
    unsafe VolatileMappedRegister(
      unsafeBitPattern: UInt(bitPattern: DirectMap.device(base + UInt64(register.rawValue))))
  }
}

extension LocalInputs {
  /// Those of the processor with this number.
  init(_ topology: borrowing Topology, of apicID: UInt32) {
    self.init(
      line0: Entry(topology.nmi(atInput: 0, ofAPIC: apicID)), line1: Entry(topology.nmi(atInput: 1, ofAPIC: apicID)))
  }
}

extension LocalInputs.Entry {
  fileprivate init(_ nmi: LocalNMI?) {
    self = nmi.map { .nmi(isActiveLow: $0.isActiveLow) } ?? .masked
  }
}

typealias LocalAPIC = Processors.LocalAPIC<MachineAPIC>

extension Processors.LocalAPIC where Access == MachineAPIC {
  /// Turns this core's controller on, with everything masked but the timer and NMIs.
  func enable(usesDeadline: Bool, _ inputs: LocalInputs) {
    enable(timer: Vectors.timer, spurious: Vectors.spurious, usesDeadline: usesDeadline, inputs: inputs)
  }

  /// This core's controller, for one who was told nothing.
  static var own: LocalAPIC {
    let base = MSR.apicBase.value
    let mode: APICMode = base & APICBase.isExtended != 0 ? .registers : .memory
    return LocalAPIC(MachineAPIC(mode, base: PhysicalAddress(base & 0xf_ffff_f000)))
  }

  /// Tells all other cores to halt.
  func stopOthers() { sendToOthers(Vectors.stop) }
}
