// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The PC's two 8259As, the second on input 2 of the first, with their edge/level control registers.
///
/// Invariant: the first chip's input 2 is requested exactly while the second chip asks for service. Real chips see
/// the cascade's edges; following its level loses no request and makes no spurious one.
package struct InterruptControllerPair: Sendable {
  private static var cascade: Int { 2 }

  // IRQ 0, 1, 2, 8 and 13 are edge-triggered in every PC.
  private var first = InterruptController8259(cascadeInput: cascade, levelCapable: 0xf8)
  private var second = InterruptController8259(cascadeInput: 8, levelCapable: 0xde)

  package init() {}

  /// Whether `port` is one of this device's.
  package static func owns(_ port: UInt16) -> Bool {
    switch port {
    case 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1: true
    default: false
    }
  }

  /// INTR: there is an interrupt for the processor.
  package var hasInterrupt: Bool { first.hasRequest }

  /// Sets the level of an IRQ line; there is none but 0, 1 and 3 to 15.
  package mutating func setLine(_ irq: Int, isHigh: Bool) {
    switch irq {
    case Self.cascade: break
    case 0..<8: first.setLine(irq, isHigh: isHigh)
    case 8..<16:
      second.setLine(irq &- 8, isHigh: isHigh)
      cascade()
    default: break
    }
  }

  /// The line of `irq` rose, and is where it was: what an edge-triggered input keeps, masked or not.
  package mutating func pulse(_ irq: Int) {
    let isHigh = isHigh(irq)
    setLine(irq, isHigh: false)
    setLine(irq, isHigh: true)
    setLine(irq, isHigh: isHigh)
  }

  private func isHigh(_ irq: Int) -> Bool {
    switch irq {
    case 0..<8: first.isHigh(irq)
    case 8..<16: second.isHigh(irq &- 8)
    default: false
    }
  }

  /// Whether an interrupt of `irq` waits for the processor or is in service: its next edge would be lost or wait.
  package func isBusy(_ irq: Int) -> Bool {
    switch irq {
    case 0..<8: first.isRequested(irq) || first.isInService(irq)
    case 8..<16: second.isRequested(irq &- 8) || second.isInService(irq &- 8)
    default: false
    }
  }

  /// Whether the guest has masked `irq`, or the input through which it would come.
  package func isMasked(_ irq: Int) -> Bool {
    switch irq {
    case 0..<8: first.isMasked(irq)
    case 8..<16: second.isMasked(irq &- 8) || first.isMasked(Self.cascade)
    default: true
    }
  }

  /// The processor takes the interrupt. → its vector; that of a spurious IRQ 7 or 15 if the request has gone
  package mutating func acknowledge() -> UInt8 {
    let (input, vector) = first.acknowledge()
    guard input == Self.cascade else { return vector }
    let answer = second.acknowledge()
    cascade()
    return answer.vector
  }

  /// Reads a byte; ports that are not this device's read as ones.
  package mutating func read(port: UInt16) -> UInt8 {
    switch port {
    case 0x20: return first.read(isData: false)
    case 0x21: return first.read(isData: true)
    case 0xa0, 0xa1:
      let value = second.read(isData: port == 0xa1)
      // A poll acknowledges.
      cascade()
      return value
    case 0x4d0: return first.levelTriggered
    case 0x4d1: return second.levelTriggered
    default: return 0xff
    }
  }

  /// Writes a byte.
  package mutating func write(port: UInt16, value: UInt8) {
    switch port {
    case 0x20: first.writeCommand(value)
    case 0x21: first.writeData(value)
    case 0xa0: second.writeCommand(value)
    case 0xa1: second.writeData(value)
    case 0x4d0: first.writeTriggerModes(value)
    case 0x4d1: second.writeTriggerModes(value)
    default: return
    }
    cascade()
  }

  private mutating func cascade() { first.follow(Self.cascade, isHigh: second.hasRequest) }
}
