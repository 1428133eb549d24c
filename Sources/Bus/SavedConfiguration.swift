// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What firmware set in a function's configuration space and a reset forgets; taken once, at boot. Where the function
/// answers is not asked a second time: that is as it was found, and checked.
package struct SavedConfiguration: Sendable {
  private let function: FunctionAddress
  private let ranges: InlineArray<6, BaseAddress>
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
    ranges = function.ranges
    express = function.capabilities.express
    rom = access.read32(address, Register.expansionROM)
    command = access.read16(address, Register.command)
    cacheLineAndLatency = access.read16(address, Register.cacheLineSize)
    interruptLine = access.read8(address, Register.interruptLine)
    for index in 0..<6 {
      let base = function.ranges[index]
      bases[index] = UInt32(truncatingIfNeeded: base.address)
      guard base.kind == .memory64, index < 5 else { continue }
      bases[index + 1] = UInt32(truncatingIfNeeded: base.address >> 32)
    }
    guard let express else { return }
    deviceControl = access.read16(address, express.offset + ExpressRegister.deviceControl)
    linkControl = access.read16(address, express.offset + ExpressRegister.linkControl)
    if express.hasSecondControl {
      deviceControl2 = access.read16(address, express.offset + ExpressRegister.deviceControl2)
    }
  }

  /// Writes it back; the function answers where it did, but is not master of the bus and raises no INTx.
  ///
  /// - Returns: Whether it says so too. One that does not answers nowhere.
  func restore<A: ConfigurationAccess>(in access: A) -> Bool {
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
    let isInPlace = isInPlace(in: access)
    let command = isInPlace ? command : command & ~CommandBits.decoding
    access.write16(command & ~CommandBits.busMaster | CommandBits.interruptDisable, to: function, Register.command)
    return isInPlace
  }

  /// Whether the registers say what was written to them, as far as they say where the function answers.
  private func isInPlace<A: ConfigurationAccess>(in access: A) -> Bool {
    for index in 0..<6 {
      let low = access.read32(function, Register.firstBase + 4 * index)
      switch ranges[index].kind {
      case .none, .upperHalf, .malformed: continue
      case .io: if low & 0xfffc != bases[index] & 0xfffc { return false }
      case .memory: if low & ~0xf != bases[index] { return false }
      case .memory64:
        guard low & ~0xf == bases[index], index < 5,
          access.read32(function, Register.firstBase + 4 * (index + 1)) == bases[index + 1]
        else { return false }
      }
    }
    return true
  }
}

extension ExpressCapability {
  /// Whether the capability is long enough for the second device control word (PCI Express 6.0, §7.5.3.16).
  var hasSecondControl: Bool { version >= 2 && offset <= 256 - 0x3c }
}
