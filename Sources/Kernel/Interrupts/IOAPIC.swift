// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import CX86
import _Volatile

/// An interrupt controller for devices (82093AA): pins from `firstGSI` on.
struct IOAPIC {
  private let base: PhysicalAddress
  let firstGSI: UInt32
  let pinCount: UInt32

  /// Reads the number of pins, and masks them all.
  init(base: PhysicalAddress, firstGSI: UInt32) {
    self.base = base
    self.firstGSI = firstGSI
    Self.window(base, 0x00).store(1)
    pinCount = Self.window(base, 0x10).load().bits(16, count: 8) + 1
    for pin in 0..<pinCount { self[pin] = Self.masked }
  }

  static var masked: UInt64 { 1 << 16 }
  static var isLow: UInt64 { 1 << 13 }
  static var isLevel: UInt64 { 1 << 15 }

  /// The redirection entry of a pin.
  subscript(_ pin: UInt32) -> UInt64 {
    get {
      guard pin < pinCount else { return Self.masked }
      let low = read(0x10 + 2 * pin)
      return UInt64(read(0x11 + 2 * pin)) << 32 | UInt64(low)
    }
    nonmutating set {
      // A description may name a line that the controller does not have.
      guard pin < pinCount else { return }
      // Masked while its two halves do not belong together, but with the trigger that it has: a level that ends on a pin
      // that is set to edges is remembered as one.
      write(0x10 + 2 * pin, UInt32(truncatingIfNeeded: newValue | Self.masked))
      write(0x11 + 2 * pin, UInt32(truncatingIfNeeded: newValue >> 32))
      write(0x10 + 2 * pin, UInt32(truncatingIfNeeded: newValue))
    }
  }

  private func read(_ register: UInt32) -> UInt32 {
    Self.window(base, 0x00).store(register)
    return Self.window(base, 0x10).load()
  }

  private func write(_ register: UInt32, _ value: UInt32) {
    Self.window(base, 0x00).store(register)
    Self.window(base, 0x10).store(value)
  }

  private static func window(_ base: PhysicalAddress, _ offset: UInt64) -> VolatileMappedRegister<UInt32> {
    // SAFETY: the page at `base` holds the controller's registers, mapped uncached.
    unsafe VolatileMappedRegister(unsafeBitPattern: UInt(bitPattern: DirectMap.device(base + offset)))
  }
}

/// A device's interrupt, on its way to a domain.
struct InterruptLine {
  var controller: Int
  var pin: UInt32
  /// The redirection entry while the line may fire.
  var entry: UInt64
  let isLevel: Bool
  let owner: Int
  let notification: UInt64
  /// Of a guest's device: the page in which the interrupt is told from its others, and its bit there.
  var page: PassedDevice?
  var bit: UInt64 = 0
  /// Whether the line of a guest's device may fire.
  var isArmed = false
  /// Whether `controller` and `pin` are known.
  var isFound = true
  /// Whether its owner was told, and has not acknowledged.
  var isAwaiting = false
  /// The device, by its number among those of the bus; `nil` for what is no PCI function's.
  var function: Int?
  /// Whether it is a message, and no pin's.
  var isMessage = false
  /// How many interrupts it may send; messages of one device have one budget.
  var budget = InterruptBudget(.line)
  /// The line whose budget counts.
  var budgetPlace = 0
}

extension InterruptLine {
  /// It is message `number` of a function.
  mutating func sends(from function: Int?, number: Int) {
    self.function = function
    isMessage = true
    budget = InterruptBudget(.message)
    // Until all lines have their places: how far before it the first message of its device is.
    budgetPlace = -number
  }
}
