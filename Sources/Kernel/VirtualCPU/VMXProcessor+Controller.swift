// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Virtualisation
import X86

/// A local APIC that the processor shares with the VMM's model: the sets of the virtual-APIC page (Intel SDM volume 3,
/// §30.1.1), which no guest can reach but by the EOI register.
extension VMXProcessor {
  func loadController(_ controller: SharedController) {
    let isShared = controller.isShared != 0
    if isShared != state.value.isShared { share(isShared) }
    guard isShared else { return }
    for index in 0..<4 {
      store(controller.requests[index], to: Self.requests, index)
      store(controller.inService[index], to: Self.inService, index)
    }
    let status = VMXInterruptStatus(requests: controller.requests, inService: controller.inService)
    vmcs[.interruptStatus] = status.rawValue
    let ends = controller.noticedEnds
    let known = state.value.known.noticedEnds
    if ends[0] != known[0] || ends[1] != known[1] || ends[2] != known[2] || ends[3] != known[3] { setNoticedEnds(ends) }
  }

  func storeController(_ controller: inout SharedController) {
    for index in 0..<4 {
      controller.requests[index] = load(from: Self.requests, index)
      controller.inService[index] = load(from: Self.inService, index)
    }
    // What came while the guest left is requested like the rest.
    posted?.drain(into: &controller.requests)
    controller.isCurrent = 1
  }

  private func share(_ isShared: Bool) {
    state.value.isShared = isShared
    if posted != nil { vmcs[.pinControls] = isShared ? controls.pin | controls.posting : controls.pin }
    vmcs[.secondaryControls] = isShared ? controls.secondary | controls.sharing : controls.secondary
    vmcs[.registerMap] = registerMap
    if !isShared { vmcs[.interruptStatus] = VMXInterruptStatus.idle.rawValue }
  }

  private func setNoticedEnds(_ vectors: InlineArray<4, UInt64>) {
    state.value.known.noticedEnds = vectors
    vmcs[.endExits0] = vectors[0]
    vmcs[.endExits1] = vectors[1]
    vmcs[.endExits2] = vectors[2]
    vmcs[.endExits3] = vectors[3]
  }

  // MARK: - The page: eight registers of 32 bits for each set, 16 bytes apart

  private static var inService: UInt64 { 0x100 }
  private static var requests: UInt64 { 0x200 }

  private func register(_ set: UInt64, _ index: Int) -> Cell<UInt32> {
    BootMemory.place(at: virtualAPIC + set + UInt64(index) * 16)
  }

  private func load(from set: UInt64, _ index: Int) -> UInt64 {
    UInt64(register(set, 2 * index + 1).value) << 32 | UInt64(register(set, 2 * index).value)
  }

  private func store(_ word: UInt64, to set: UInt64, _ index: Int) {
    register(set, 2 * index).value = UInt32(truncatingIfNeeded: word)
    register(set, 2 * index + 1).value = UInt32(truncatingIfNeeded: word >> 32)
  }
}
