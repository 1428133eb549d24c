// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// An 8259A is programmed by two kinds of words, told apart by A0 and data bits 3 and 4:
//
//   idle ── ICW1 (A0=0, bit 4) ──► ICW2 ──► ICW3 (if cascaded) ──► ICW4 (if ICW1 announced it) ──► idle
//
// ICW1 is taken in every state and starts over; ICW2 to ICW4 are the following writes with A0=1. While idle, a write
// with A0=1 is the mask (OCW1), with A0=0 OCW2 or OCW3. A request goes from the request register (IRR) to the
// in-service register (ISR) when the processor acknowledges it, and leaves that one by an end of interrupt.

/// One 8259A (Intel 8259A data sheet, 1988).
struct InterruptController8259: Sendable {
  private enum Expected {
    case operation, vector, cascade, mode
  }

  /// The levels of the eight inputs.
  private var lines: UInt8 = 0
  /// Rising edges not yet acknowledged, of edge-triggered inputs.
  ///
  /// An edge stays latched when its line falls, as in a PC's south bridge: a device model may pulse its line.
  private var edges: UInt8 = 0
  private var inService: UInt8 = 0
  private var mask: UInt8 = 0
  /// ELCR: inputs that are level-triggered. It takes the place of ICW1's LTIM, which does nothing in a PC.
  private(set) var levelTriggered: UInt8 = 0
  private let levelCapable: UInt8

  private var vectorBase: UInt8 = 0
  /// The input with the highest priority; the others follow in a ring.
  private var first: UInt8 = 0
  private var expected = Expected.operation
  private var isCascaded = true
  private var needsMode = false
  private var endsAutomatically = false
  private var rotatesAutomatically = false
  private var isSpecialFullyNested = false
  private var isSpecialMask = false
  private var readsInService = false
  private var isPolled = false
  /// The input that the other chip drives; 8 for none.
  private let cascadeInput: Int

  init(cascadeInput: Int, levelCapable: UInt8) {
    self.cascadeInput = cascadeInput
    self.levelCapable = levelCapable
  }

  /// IRR: what asks for service, masked or not.
  private var requests: UInt8 { edges | (lines & levelTriggered) }

  func isHigh(_ input: Int) -> Bool { lines & bit(input) != 0 }
  func isRequested(_ input: Int) -> Bool { requests & bit(input) != 0 }
  func isInService(_ input: Int) -> Bool { inService & bit(input) != 0 }
  func isMasked(_ input: Int) -> Bool { mask & bit(input) != 0 }

  /// INT: some request is unmasked and outranks all that is in service.
  var hasRequest: Bool { highestRequest != nil }

  mutating func setLine(_ input: Int, isHigh: Bool) {
    let line = bit(input)
    if isHigh {
      edges |= line & ~lines & ~levelTriggered
      lines |= line
    } else {
      lines &= ~line
    }
  }

  /// Makes an input follow a level whatever its trigger mode: the cascade, which both chips see at once.
  mutating func follow(_ input: Int, isHigh: Bool) {
    if isHigh { edges |= bit(input) } else { edges &= ~bit(input) }
  }

  mutating func writeTriggerModes(_ value: UInt8) {
    levelTriggered = value & levelCapable
    edges &= ~levelTriggered
  }

  /// The processor's acknowledge cycle. → the input served, and the vector on the bus
  ///
  /// If the request has gone meanwhile, the chip answers with its input 7, which does not get into service.
  mutating func acknowledge() -> (input: Int?, vector: UInt8) {
    guard let input = highestRequest else { return (nil, vectorBase | 7) }
    serve(input)
    return (input, vectorBase | UInt8(truncatingIfNeeded: input))
  }

  mutating func read(isData: Bool) -> UInt8 {
    if isPolled {
      isPolled = false
      guard let input = highestRequest else { return 0 }
      serve(input)
      return 0x80 | UInt8(truncatingIfNeeded: input)
    }
    if isData { return mask }
    return readsInService ? inService : requests
  }

  mutating func writeCommand(_ value: UInt8) {
    if value & 0x10 != 0 {
      initialise(value)
    } else if value & 0x08 != 0 {
      writeModes(value)
    } else {
      writeEnd(value)
    }
  }

  mutating func writeData(_ value: UInt8) {
    switch expected {
    case .operation: mask = value
    case .vector:
      vectorBase = value & 0xf8
      expected = isCascaded ? .cascade : needsMode ? .mode : .operation
    // How the chips are wired is not for software to say.
    case .cascade: expected = needsMode ? .mode : .operation
    case .mode:
      isSpecialFullyNested = value & 0x10 != 0
      endsAutomatically = value & 0x02 != 0
      expected = .operation
    }
  }

  // MARK: - Priority

  private func bit(_ input: Int) -> UInt8 { 1 << UInt8(truncatingIfNeeded: input & 7) }

  /// The place of the foremost input of `set` in the ring: 0 first, 8 if `set` is empty.
  private func rank(_ set: UInt8) -> Int {
    let turned = UInt16(set) << 8 | UInt16(set)
    return UInt8(truncatingIfNeeded: turned >> UInt16(first)).trailingZeroBitCount
  }

  private func input(ofRank rank: Int) -> Int { (rank &+ Int(first)) & 7 }

  private var highestRequest: Int? {
    let wanted = rank(requests & ~mask)
    guard wanted < 8 else { return nil }
    var blocking = inService
    if isSpecialMask { blocking &= ~mask }
    // The slave may have found something more urgent than what its input is in service for.
    if isSpecialFullyNested, cascadeInput < 8 { blocking &= ~bit(cascadeInput) }
    return wanted < rank(blocking) ? input(ofRank: wanted) : nil
  }

  /// Makes `input` the last of the ring.
  private mutating func rotate(behind input: Int) { first = UInt8(truncatingIfNeeded: (input &+ 1) & 7) }

  private mutating func serve(_ input: Int) {
    edges &= ~bit(input)
    if !endsAutomatically {
      inService |= bit(input)
    } else if rotatesAutomatically {
      rotate(behind: input)
    }
  }

  // MARK: - Command words

  /// ICW1. Edges are forgotten: after it an input must rise anew.
  private mutating func initialise(_ value: UInt8) {
    edges = 0
    inService = 0
    mask = 0
    first = 0
    isSpecialMask = false
    readsInService = false
    isPolled = false
    isCascaded = value & 0x02 == 0
    needsMode = value & 0x01 != 0
    if !needsMode {
      isSpecialFullyNested = false
      endsAutomatically = false
    }
    rotatesAutomatically = false
    expected = .vector
  }

  /// OCW3.
  private mutating func writeModes(_ value: UInt8) {
    if value & 0x40 != 0 { isSpecialMask = value & 0x20 != 0 }
    isPolled = value & 0x04 != 0
    if value & 0x02 != 0 { readsInService = value & 0x01 != 0 }
  }

  /// OCW2: bit 5 ends an interrupt, bit 6 says that bits 0-2 name it, bit 7 rotates.
  private mutating func writeEnd(_ value: UInt8) {
    let named = Int(value & 7)
    switch value >> 5 {
    case 0b000: rotatesAutomatically = false
    case 0b100: rotatesAutomatically = true
    case 0b001, 0b101:
      // In special mask mode a masked input does not leave service by a non-specific end.
      let rank = rank(isSpecialMask ? inService & ~mask : inService)
      guard rank < 8 else { return }
      let ended = input(ofRank: rank)
      inService &= ~bit(ended)
      if value & 0x80 != 0 { rotate(behind: ended) }
    case 0b011: inService &= ~bit(named)
    case 0b111:
      inService &= ~bit(named)
      rotate(behind: named)
    case 0b110: rotate(behind: named)
    default: break
    }
  }
}
