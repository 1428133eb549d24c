// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
package import PCI

/// A PCI function of the machine as a guest has it: its configuration space filtered, its table of messages trapped, its
/// interrupts turned into those of the guest's machine.
///
/// Invariant: what was last asked of the function (`mapped`, `delivery`, `open`) is what the guest's configuration says.
package struct GuestFunction<Function: PhysicalFunction>: ~Copyable {
  let function: Function
  let ranges: InlineArray<6, FunctionRange>
  var configuration: FilteredConfiguration
  /// The guest's own table of messages; of one vector where there is none.
  var messages: MSIXTable
  /// A message of the function that is the guest's to get (MSI).
  private var hasMessage = false
  /// Whether the function's line is raised, until the guest has seen to it.
  package private(set) var isLineRaised = false
  /// Where the guest has the memory ranges.
  var mapped: InlineArray<6, UInt64?> = InlineArray(repeating: nil)
  private var delivery = FunctionDelivery.none
  /// Messages of the table that are let through.
  private var open: UInt32 = 0

  /// A function that was just reset.
  package init(_ function: Function, ranges: InlineArray<6, FunctionRange>) {
    self.function = function
    self.ranges = ranges
    configuration = FilteredConfiguration(of: function, ranges: ranges)
    messages = MSIXTable(count: configuration.table?.count ?? 1)
  }

  /// Puts what range `index` decodes at `address`, as firmware does.
  package mutating func place(_ index: Int, at address: UInt64) {
    configuration.space.setAddress(address, ofRange: index)
  }

  // MARK: - Interrupts

  /// The function sent these messages, by their number in its table; by MSI, number 0.
  package mutating func raise(messages bits: UInt64) {
    switch delivery {
    case .table:
      var rest = bits
      while rest != 0 {
        messages.raise(rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    case .message: if bits & 1 != 0 { hasMessage = true }
    case .line, .none: break
    }
  }

  /// The function raised its line, and is silent until `acknowledgeLine`.
  package mutating func raiseLine() {
    if delivery == .line { setLine(true) } else { function.acknowledgeLine() }
  }

  /// The guest ended the interrupt of the line.
  package mutating func lineEnded() {
    guard isLineRaised else { return }
    setLine(false)
    function.acknowledgeLine()
  }

  private mutating func setLine(_ isRaised: Bool) {
    isLineRaised = isRaised
    configuration.space.setInterruptStatus(isRaised)
  }

  /// The next message for the guest's local APICs, which with this call counts as sent.
  package mutating func takeMessage() -> InterruptMessage? {
    switch delivery {
    case .table: return isTableMasked ? nil : messages.takeMessage()
    case .message:
      guard hasMessage, let place = configuration.message else { return nil }
      hasMessage = false
      let space = configuration.space
      let high = place.isWide ? UInt64(space.read(place.offset + 8, width: 4)) << 32 : 0
      return InterruptMessage(
        address: high | UInt64(space.read(place.offset + 4, width: 4)),
        data: space.read(place.offset + (place.isWide ? 12 : 8), width: 2))
    case .line, .none: return nil
    }
  }

  // MARK: - What the guest's configuration asks of the function

  private var isTableMasked: Bool {
    guard let place = configuration.table else { return true }
    return configuration.space.read(place.offset + 2, width: 2) & 1 << 14 != 0
  }

  private var wantedDelivery: FunctionDelivery {
    let space = configuration.space
    if let place = configuration.table, space.read(place.offset + 2, width: 2) & 1 << 15 != 0 { return .table }
    if let place = configuration.message, space.read(place.offset + 2, width: 2) & 1 != 0 { return .message }
    guard !space.command.contains(.interruptDisable), space.read(0x3d, width: 1) != 0 else { return .none }
    return .line
  }

  /// Brings the function in line with the guest's configuration.
  mutating func update() {
    for index in 0..<6 where isMemory(index) && mapped[index] != configuration.space.address(ofRange: index) {
      if mapped[index] != nil { function.map(index, at: nil) }
      mapped[index] = nil
    }
    for index in 0..<6 where isMemory(index) {
      guard let address = configuration.space.address(ofRange: index), mapped[index] == nil else { continue }
      mapped[index] = address
      function.map(index, at: address)
    }
    let wanted = wantedDelivery
    if wanted != delivery {
      if isLineRaised { lineEnded() }
      hasMessage = false
      messages.withdrawAll()
      delivery = wanted
      open = 0
      function.select(wanted)
    }
    updateMasks()
  }

  /// Masks at the function what the guest masks.
  mutating func updateMasks() {
    var wanted: UInt32 = 0
    if delivery == .table, !isTableMasked {
      for vector in 0..<messages.count where messages.read(4 * vector + 3) & 1 == 0 { wanted |= 1 << UInt32(vector) }
    }
    let changed = wanted ^ open
    guard changed != 0 else { return }
    open = wanted
    for vector in 0..<messages.count where changed & 1 << UInt32(vector) != 0 {
      function.setMessage(vector, isOpen: wanted & 1 << UInt32(vector) != 0)
    }
  }

  private func isMemory(_ index: Int) -> Bool {
    switch ranges[index] {
    case .memory, .memory64: true
    case .none, .io: false
    }
  }
}
