// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

extension PCIFunction {
  /// Masks all messages at the function, which keeps what it has to say for later (PCI Express 6.0, §6.1.4.3); one whose
  /// single message cannot be masked loses it.
  package func holdMessages<A: ConfigurationAccess>(in access: A) {
    if let table = capabilities.messageTable {
      access.change16(address, table.offset + MSIXRegister.control, set: MSIXRegister.maskAll)
    }
    guard let messages = capabilities.messages else { return }
    if messages.canMask {
      access.write32(.max, to: address, messages.maskOffset)
    } else {
      access.change16(address, messages.offset + MSIRegister.control, clear: MSIRegister.enable)
    }
  }

  /// Lets messages through again.
  /// - Parameter sendsMessage: Whether the single message is what it sends, and not those of its table or none.
  package func releaseMessages<A: ConfigurationAccess>(in access: A, sendsMessage: Bool) {
    if let table = capabilities.messageTable {
      access.change16(address, table.offset + MSIXRegister.control, clear: MSIXRegister.maskAll)
    }
    guard sendsMessage, let messages = capabilities.messages else { return }
    if messages.canMask {
      access.write32(0, to: address, messages.maskOffset)
    } else {
      access.change16(address, messages.offset + MSIRegister.control, set: MSIRegister.enable)
    }
  }
}

extension MSICapability {
  /// Where the bits are that mask messages, if it has any: behind address and data (§7.7.1.7).
  fileprivate var maskOffset: Int { offset + MSIRegister.address + (isWide ? 12 : 8) }
}
