// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What firmware set in a function's configuration space and a reset forgets; taken once, at boot.
package struct SavedConfiguration: Sendable {
  private let function: FunctionAddress
  private let express: ExpressCapability?
  private var bases: InlineArray<6, UInt32> = InlineArray(repeating: 0)
  private let rom: UInt32
  private let command: UInt16
  private let cacheLineAndLatency: UInt16
  private let interruptLine: UInt8
  private var deviceControl: UInt16 = 0
  private var linkControl: UInt16 = 0
  private var deviceControl2: UInt16 = 0

  /// Reads it; not while the function is being reset.
  package init<A: ConfigurationAccess>(of function: PCIFunction, in access: A) {
    let address = function.address
    self.function = address
    express = function.capabilities.express
    rom = access.read32(address, Register.expansionROM)
    command = access.read16(address, Register.command)
    cacheLineAndLatency = access.read16(address, Register.cacheLineSize)
    interruptLine = access.read8(address, Register.interruptLine)
    for index in 0..<6 { bases[index] = access.read32(address, Register.firstBase + 4 * index) }
    guard let express else { return }
    deviceControl = access.read16(address, express.offset + ExpressRegister.deviceControl)
    linkControl = access.read16(address, express.offset + ExpressRegister.linkControl)
    if express.hasSecondControl {
      deviceControl2 = access.read16(address, express.offset + ExpressRegister.deviceControl2)
    }
  }

  /// Writes it back; the function answers where it did, but is not master of the bus and raises no INTx.
  func restore<A: ConfigurationAccess>(in access: A) {
    if let express {
      // The word that begins a reset by one bit holds the size of packets too.
      let control = deviceControl & ~ExpressRegister.initiateReset
      access.write16(control, to: function, express.offset + ExpressRegister.deviceControl)
      access.write16(linkControl, to: function, express.offset + ExpressRegister.linkControl)
      if express.hasSecondControl {
        access.write16(deviceControl2, to: function, express.offset + ExpressRegister.deviceControl2)
      }
    }
    for index in 0..<6 { access.write32(bases[index], to: function, Register.firstBase + 4 * index) }
    access.write32(rom, to: function, Register.expansionROM)
    access.write16(cacheLineAndLatency, to: function, Register.cacheLineSize)
    access.write(UInt32(interruptLine), to: function, Register.interruptLine, width: 1)
    access.write16(command & ~CommandBits.busMaster | CommandBits.interruptDisable, to: function, Register.command)
  }
}

extension ExpressCapability {
  /// Whether the capability is long enough for the second device control word (PCI Express 6.0, §7.5.3.16).
  var hasSecondControl: Bool { version >= 2 && offset <= 256 - 0x3c }
}
