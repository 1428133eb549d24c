// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// What of a function's configuration space its owner may change by itself: bits that concern this function alone. Where
// it answers, what interrupts it sends, whether it sleeps (many lose their configuration by that), how large its packets
// are and what errors it reports are for the kernel.

extension PCIFunction {
  /// Changes those bits of the 16-bit register at `offset` that the function's owner may; the others stay as they are.
  package func writeDelegated<A: ConfigurationAccess>(_ value: UInt16, at offset: Int, in access: A) {
    guard let register = delegatedRegister(at: offset) else { return }
    let kept = access.read16(address, offset) & ~register.mask & ~register.cleared
    access.write16(kept | value & register.mask, to: address, offset)
  }

  /// Which bits these are, and which others a one would clear.
  private func delegatedRegister(at offset: Int) -> (mask: UInt16, cleared: UInt16)? {
    if offset == Register.command { return (CommandBits.busMaster, 0) }
    // The address alone: data cannot be written, since bit 15, which would do so, stays clear (PCI Local Bus 3.0, I.).
    if let product = capabilities.productData, offset == product + 2 { return (0x7fff, 0x8000) }
    guard let express = capabilities.express else { return nil }
    switch offset {
    case express.offset + ExpressRegister.deviceControl: return (ExpressRegister.delegatedControl, 0)
    case express.offset + ExpressRegister.deviceStatus: return (ExpressRegister.errors, 0)
    default: return nil
    }
  }
}
