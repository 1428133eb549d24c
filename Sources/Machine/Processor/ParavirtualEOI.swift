// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// KVM's paravirtual end of interrupt (Linux, Documentation/virt/kvm/x86/msr.rst): a word in the guest's memory
/// replaces the write to the APIC, and the exit it would be.
///
/// States: *disarmed*, where the guest ends an interrupt at the APIC; *armed*, where bit 0 of the word is set. The VMM
/// arms when it delivers an interrupt after which no other is waiting. The guest, to end the interrupt, clears the bit
/// if it is set. The VMM looks (`takeEnd`) before it asks the APIC what to deliver next, and disarms when another
/// interrupt comes in meanwhile, so that the guest's end of interrupt is an exit again.
package struct ParavirtualEOI: Equatable, Sendable {
  /// What the guest last wrote to the register and was accepted; bit 0 is on.
  package private(set) var register: UInt64 = 0
  /// Whether the VMM set the bit and has not seen it cleared.
  package private(set) var isArmed = false

  package init() {}

  /// Whether the guest uses this.
  package var isOn: Bool { register & 1 != 0 }

  /// The guest writes the register. An end of interrupt that the old word holds is to be taken before; the bit is taken
  /// back, or the guest would end an interrupt by it that nobody looks for any more.
  package mutating func setRegister(_ value: UInt64, in memory: GuestMemory) throws(ParavirtualError) {
    if value & 1 != 0 { try ParavirtualClock.check(value, reserved: 2, count: 4, in: memory) }
    _ = disarm(in: memory)
    register = value
  }

  /// Sets the bit for the interrupt that is about to be delivered. → whether the guest will find it
  package mutating func arm(in memory: GuestMemory) -> Bool {
    guard isOn, let word = word(in: memory), store(word | 1, in: memory) else { return false }
    isArmed = true
    return true
  }

  /// Whether the guest has ended the interrupt by clearing the bit; the APIC is then to be told. Disarms.
  package mutating func takeEnd(in memory: GuestMemory) -> Bool {
    guard isArmed, let word = word(in: memory), word & 1 == 0 else { return false }
    isArmed = false
    return true
  }

  /// Takes the bit back. → whether the guest had ended the interrupt before
  package mutating func disarm(in memory: GuestMemory) -> Bool {
    guard isArmed else { return false }
    isArmed = false
    guard let word = word(in: memory) else { return false }
    guard word & 1 != 0 else { return true }
    _ = store(word & ~1, in: memory)
    return false
  }

  private var place: GuestAddress { GuestAddress(register & ~3) }

  private func word(in memory: GuestMemory) -> UInt8? {
    do throws(GuestMemoryError) { return try memory.read(place, as: UInt8.self) } catch { return nil }
  }

  private func store(_ word: UInt8, in memory: GuestMemory) -> Bool {
    do throws(GuestMemoryError) { try memory.write(word, at: place) } catch { return false }
    return true
  }
}
