// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// A 16550A as it sits in a PC, with the console on its other end.
//
// Sending takes no time: a byte written to the holding register leaves at once. So the transmitter is empty whenever
// the console has room (`canTransmit`), and "the holding register became empty" happens at every write, when room
// comes back, and when the guest enables that interrupt while the transmitter is empty (Linux tests for the last one).
// While there is no room THRE and TEMT are clear, so the guest waits instead of losing text. A driver may send a whole
// FIFO after it saw THRE once: the owner says `canTransmit` only while it has room for `transmitBurst` bytes.
//
// Receiving: the owner hands over all it has, as far as `receiveSpace` goes, and only then looks at `interruptLine`.
// The time-out that reports bytes below the trigger level is due four character times after the last byte; here the
// last byte is known to be the last when the owner looks, so the time-out is due at once. Waiting would only make
// typing slower and cost a timer.

/// A 16550A serial port, ttyS0 of the guest.
///
/// Invariant: `count` is at most the FIFO's size, and the received bytes are `buffer[head ..< head + count]`, wrapping.
package struct UART: Sendable {
  /// What a write made the port do.
  package enum Effect: Equatable, Sendable {
    case none
    /// A byte left for the console.
    case transmit(UInt8)
  }

  /// The first of its eight ports: COM1's, which Linux calls ttyS0.
  package static var basePort: UInt16 { 0x3f8 }

  /// Bytes that a driver may write after it saw the transmitter empty once: the size of the FIFO.
  package static var transmitBurst: Int { 16 }

  /// Whether the console has room for `transmitBurst` bytes.
  package var canTransmit = true {
    didSet { if canTransmit, !oldValue { transmitterEmptyPending = true } }
  }

  private var buffer: InlineArray<16, UInt8> = InlineArray(repeating: 0)
  private var head = 0
  private var count = 0
  private var enabled = InterruptEnable.none
  private var fifo = FIFOControl.none
  private var lineControl = LineControl.none
  private var modemControl = ModemControl.none
  private var modemChanges = ModemStatus.none
  /// Bits of the places in `buffer` that hold a BREAK, which nobody was told of yet.
  private var breaks: UInt16 = 0
  private var hasOverrun = false
  private var transmitterEmptyPending = false
  private var scratch: UInt8 = 0
  private var divisor: UInt16 = 12

  /// A port as after power-on.
  package init() {}

  // MARK: - The console's side

  /// Bytes that `receive` takes without losing one.
  package var receiveSpace: Int { isLoopedBack ? 0 : capacity - count }

  /// Takes a byte from the line; with no room for it that byte is lost and the guest is told (overrun).
  package mutating func receive(_ byte: UInt8) {
    guard !isLoopedBack else { return }
    put(byte)
  }

  /// Takes a BREAK from the line: a byte of zeros that comes with its own error.
  package mutating func receiveBreak() {
    guard !isLoopedBack, count < capacity else { return }
    put(0)
    breaks |= 1 << UInt16((head + count - 1) & 15)
  }

  /// Whether the port asks for its interrupt.
  ///
  /// A PC wires OUT2 as a gate before the IRQ; in loopback mode that output is off (§8.6).
  package var interruptLine: Bool {
    modemControl.contains(.out2) && !isLoopedBack && identification != InterruptIdentification.none
  }

  // MARK: - The guest's side

  /// Reads the register at `offset`, 0 to 7, from the port's base.
  package mutating func read(_ offset: UInt16) -> UInt8 {
    switch Register(offset, lineControl, isWrite: false) {
    case .data: return take()
    case .interruptEnable: return enabled.rawValue
    case .interruptIdentification: return readIdentification()
    case .divisorLow: return UInt8(truncatingIfNeeded: divisor)
    case .divisorHigh: return UInt8(truncatingIfNeeded: divisor >> 8)
    case .lineControl: return lineControl.rawValue
    case .modemControl: return modemControl.rawValue
    case .lineStatus: return readLineStatus()
    case .modemStatus: return readModemStatus()
    case .scratch: return scratch
    case .fifoControl: return 0xff
    }
  }

  /// Writes the register at `offset`, 0 to 7, from the port's base.
  package mutating func write(_ value: UInt8, to offset: UInt16) -> Effect {
    switch Register(offset, lineControl, isWrite: true) {
    case .data: return send(value)
    case .interruptEnable: enable(InterruptEnable(rawValue: value) & .writable)
    case .fifoControl: control(FIFOControl(rawValue: value))
    case .divisorLow: divisor = divisor & 0xff00 | UInt16(value)
    case .divisorHigh: divisor = divisor & 0x00ff | UInt16(value) << 8
    case .lineControl: lineControl = LineControl(rawValue: value)
    case .modemControl: setModemControl(ModemControl(rawValue: value) & .writable)
    case .scratch: scratch = value
    case .interruptIdentification, .lineStatus, .modemStatus: break
    }
    return .none
  }

  /// The registers by name: which one an offset means depends on the direction and on DLAB.
  private enum Register {
    case data, interruptEnable, interruptIdentification, fifoControl, divisorLow, divisorHigh
    case lineControl, modemControl, lineStatus, modemStatus, scratch

    init(_ offset: UInt16, _ control: LineControl, isWrite: Bool) {
      let isDivisor = control.contains(.divisorLatchAccess)
      switch offset & 7 {
      case 0: self = isDivisor ? .divisorLow : .data
      case 1: self = isDivisor ? .divisorHigh : .interruptEnable
      case 2: self = isWrite ? .fifoControl : .interruptIdentification
      case 3: self = .lineControl
      case 4: self = .modemControl
      case 5: self = .lineStatus
      case 6: self = .modemStatus
      default: self = .scratch
      }
    }
  }
}

// MARK: - Data

extension UART {
  private var isFIFOEnabled: Bool { fifo.contains(.enable) }
  private var isLoopedBack: Bool { modemControl.contains(.loopback) }
  private var capacity: Int { isFIFOEnabled ? 16 : 1 }

  private mutating func put(_ byte: UInt8) {
    guard count < capacity else {
      hasOverrun = true
      // Without FIFOs the new byte takes the old one's place; a full FIFO keeps what it has (§8.2, bit 1).
      if !isFIFOEnabled { buffer[head] = byte }
      return
    }
    let place = (head + count) & 15
    buffer[place] = byte
    breaks &= ~(1 << UInt16(place))
    count += 1
  }

  private mutating func take() -> UInt8 {
    guard count > 0 else { return 0 }
    let byte = buffer[head]
    breaks &= ~(1 << UInt16(head))
    head = (head + 1) & 15
    count -= 1
    return byte
  }

  private mutating func send(_ byte: UInt8) -> Effect {
    transmitterEmptyPending = canTransmit || isLoopedBack
    guard isLoopedBack else { return .transmit(byte) }
    put(byte)
    return .none
  }

  private mutating func control(_ value: FIFOControl) {
    // Turning the FIFOs on or off empties them; other bits count only together with the enable bit (§8.3).
    let isChange = value.contains(.enable) != isFIFOEnabled
    if isChange || value.contains(.clearReceiver | .enable) { (head, count, breaks) = (0, 0, 0) }
    fifo = value.contains(.enable) ? value & .kept : .none
  }
}

// MARK: - Interrupts and lines

extension UART {
  /// Whether what is read next is a BREAK.
  private var isBreakNext: Bool { count > 0 && breaks & 1 << UInt16(head) != 0 }

  private var isHoldingEmpty: Bool { canTransmit || isLoopedBack }

  private mutating func enable(_ value: InterruptEnable) {
    let turnsOn = value.contains(.transmitterEmpty) && !enabled.contains(.transmitterEmpty)
    if turnsOn, isHoldingEmpty { transmitterEmptyPending = true }
    enabled = value
  }

  /// The interrupt of the highest priority, as IIR bits 0-3 name it.
  private var identification: UInt8 {
    if enabled.contains(.lineStatus), hasOverrun || isBreakNext { return InterruptIdentification.lineStatus }
    if enabled.contains(.receivedData), count > 0 {
      return !isFIFOEnabled || count >= fifo.triggerLevel
        ? InterruptIdentification.receivedData : InterruptIdentification.characterTimeout
    }
    if enabled.contains(.transmitterEmpty), transmitterEmptyPending, isHoldingEmpty {
      return InterruptIdentification.transmitterEmpty
    }
    if enabled.contains(.modemStatus), !modemChanges.isEmpty { return InterruptIdentification.modemStatus }
    return InterruptIdentification.none
  }

  private mutating func readIdentification() -> UInt8 {
    let source = identification
    if source == InterruptIdentification.transmitterEmpty { transmitterEmptyPending = false }
    return source | (isFIFOEnabled ? InterruptIdentification.fifosEnabled : 0)
  }

  private mutating func readLineStatus() -> UInt8 {
    var status: LineStatus = isHoldingEmpty ? .holdingEmpty | .transmitterEmpty : .none
    if count > 0 { status.insert(.dataReady) }
    return hasOverrun || breaks != 0 ? takeErrors(status).rawValue : status.rawValue
  }

  /// Adds the errors of the receiver, which are told once.
  @inline(never)
  private mutating func takeErrors(_ status: LineStatus) -> LineStatus {
    var status = status
    status.set(.overrun, to: hasOverrun)
    status.set(.lineBreak, to: isBreakNext)
    status.set(.errorInFIFO, to: isFIFOEnabled && breaks != 0)
    hasOverrun = false
    breaks &= ~(1 << UInt16(head))
    return status
  }

  private mutating func readModemStatus() -> UInt8 {
    let status = modemLines | modemChanges
    modemChanges = .none
    return status.rawValue
  }

  /// The modem's lines: a console is always there and ready; in loopback mode the port's own outputs (§8.6).
  private var modemLines: ModemStatus {
    guard isLoopedBack else { return .clearToSend | .dataSetReady | .carrier }
    var lines = ModemStatus.none
    lines.set(.clearToSend, to: modemControl.contains(.requestToSend))
    lines.set(.dataSetReady, to: modemControl.contains(.dataTerminalReady))
    lines.set(.ring, to: modemControl.contains(.out1))
    lines.set(.carrier, to: modemControl.contains(.out2))
    return lines
  }

  private mutating func setModemControl(_ value: ModemControl) {
    let before = modemLines
    modemControl = value
    let after = modemLines
    let changed = ModemStatus(rawValue: before.rawValue ^ after.rawValue)
    if changed.contains(.clearToSend) { modemChanges.insert(.clearToSendChanged) }
    if changed.contains(.dataSetReady) { modemChanges.insert(.dataSetReadyChanged) }
    if changed.contains(.carrier) { modemChanges.insert(.carrierChanged) }
    if before.contains(.ring), !after.contains(.ring) { modemChanges.insert(.ringEnded) }
  }
}
