// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

@testable import AHCI

/// A model of an AHCI controller that notes what a driver may not do.
final class ModelController: RegisterSpace {
  let memory: ModelMemory
  private(set) var ports: [ModelPort] = []
  /// What the driver did wrong.
  private(set) var wrongs: [String] = []
  var now: UInt64 = 0 {
    didSet { elapse() }
  }

  var capabilities: UInt32 = 0xc000_1f05  // 64-bit addresses, queueing, 32 slots, 6 ports
  var implemented: UInt32 = 0x3f
  var moreCapabilities: UInt32 = 0
  var handoff: UInt32 = 0
  /// When the firmware lets go of the controller; `nil` for never.
  var releaseAt: UInt64? = 0
  var resetTime: UInt64 = 0
  /// The controller's reset never ends.
  var isStuck = false
  /// All registers read as ones.
  var isMissing = false
  private(set) var resets = 0

  private var control: UInt32 = 0
  private var status: UInt32 = 0
  private var resetAt: UInt64?

  init(memory: ModelMemory, drive: ModelDrive? = ModelDrive(), port number: Int = 0) {
    self.memory = memory
    for index in 0..<6 {
      ports.append(ModelPort(memory: memory) { [unowned self] in wrongs.append("port \(index): \($0)") })
    }
    ports[number].drive = drive
    for port in ports { port.reset() }
  }

  var isInterrupting: Bool {
    latch()
    return control & 2 != 0 && status != 0
  }

  var nextEvent: UInt64? {
    (ports.map(\.nextEvent) + [resetAt, releaseAt]).compactMap { $0 }.filter { $0 > now }.min()
  }

  private func latch() {
    for (index, port) in ports.enumerated() where port.isInterrupting { status |= 1 << UInt32(index) }
  }

  private func elapse() {
    if let at = resetAt, at <= now, !isStuck {
      resetAt = nil
      control = 0x8000_0000
      for port in ports {
        port.now = now
        port.reset()
      }
    }
    if let at = releaseAt, at <= now, handoff & 2 != 0 { handoff &= ~0x11 }
    for port in ports {
      port.now = now
      port.elapse()
    }
  }

  func read(_ offset: Int) -> UInt32 {
    guard !isMissing else { return .max }
    elapse()
    latch()
    switch offset {
    case 0x00: return capabilities
    case 0x04: return control
    case 0x08: return status
    case 0x0c: return implemented
    case 0x24: return moreCapabilities
    case 0x28: return handoff
    case 0x100...: return port(offset)?.read(offset % 0x80) ?? 0
    default: return 0
    }
  }

  func write(_ value: UInt32, at offset: Int) {
    guard !isMissing else { return }
    if control & 0x8000_0000 == 0, offset != 0x04 { wrongs.append("register \(offset) written before AE") }
    switch offset {
    case 0x04: writeControl(value)
    case 0x08: status &= ~value
    case 0x28: handoff |= value & 2
    case 0x100...: port(offset)?.write(value, offset % 0x80)
    default: wrongs.append("write to register \(offset)")
    }
    elapse()
  }

  private func port(_ offset: Int) -> ModelPort? {
    let number = (offset - 0x100) / 0x80
    guard ports.indices.contains(number) else {
      wrongs.append("there is no port \(number)")
      return nil
    }
    return ports[number]
  }

  private func writeControl(_ value: UInt32) {
    control = value & 0x8000_0002
    guard value & 1 != 0 else { return }
    resets += 1
    control |= 1
    status = 0
    resetAt = now + resetTime
  }
}
