// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A port of the model controller: registers, the link, and the drive's frames.
final class ModelPort {
  private let memory: ModelMemory
  private let wrong: (String) -> Void
  /// Nanoseconds.
  var now: UInt64 = 0

  var drive: ModelDrive?
  private(set) var registers = [Int: UInt32]()
  /// Commands that are in the controller and not with the drive yet.
  private var pending: [ModelCommand] = []
  /// After an error: nothing moves until the engine was stopped.
  private(set) var isHalted = false
  private var linkAt: UInt64?
  private var readyAt: UInt64?
  private var stopAt: UInt64?

  // MARK: - What can be wrong with it

  var linkTime: UInt64 = 0
  var readyTime: UInt64 = 0
  var stopTime: UInt64 = 0
  /// The command engine never stops.
  var isStuck = false
  /// As QEMU before 8.1: what was active stays so when the engine stops.
  var keepsActive = false
  /// The drive's queue is answered last first.
  var isReversed = false
  /// Nothing is answered until `work(1)` is called.
  var isPatient = false
  /// Ends of commands raise no interrupt.
  var losesInterrupts = false
  /// Interrupt causes of the next command in place of an answer.
  var trouble: UInt32?
  /// So it is with each read and write from now on.
  var troubleLasts = false

  init(memory: ModelMemory, wrong: @escaping (String) -> Void) {
    self.memory = memory
    self.wrong = wrong
    reset()
  }

  private func value(_ offset: Int) -> UInt32 { registers[offset] ?? 0 }
  private var command: UInt32 {
    get { value(0x18) }
    set { registers[0x18] = newValue }
  }
  private var isStarted: Bool { command & 0x8001 == 0x8001 }
  private var list: UInt64 { UInt64(value(0x04)) << 32 | UInt64(value(0x00)) }
  private var received: UInt64 { UInt64(value(0x0c)) << 32 | UInt64(value(0x08)) }

  var isInterrupting: Bool { value(0x10) & value(0x14) != 0 }
  var isRunning: Bool { command & 0xc000 != 0 }

  /// When something happens by itself.
  var nextEvent: UInt64? { [linkAt, readyAt, stopAt].compactMap { $0 }.min() }

  /// The controller's reset (§10.4.3).
  func reset() {
    registers = [0x18: 0x0000_0000, 0x20: 0x7f, 0x24: .max]
    pending = []
    isHalted = false
    stopAt = nil
    connect()
  }

  /// The link comes up, or there is nothing.
  private func connect() {
    drive?.reset()
    registers[0x20] = 0x7f
    registers[0x24] = .max
    registers[0x28] = 0
    (linkAt, readyAt) = drive == nil ? (nil, nil) : (now + linkTime, now + linkTime + readyTime)
    elapse()
  }

  // MARK: - Time

  /// What is due happens.
  func elapse() {
    if let at = linkAt, at <= now {
      linkAt = nil
      registers[0x28] = 0x133
      registers[0x20] = 0x80
      raiseLink(error: 1 << 26, cause: 1 << 6)
    }
    if let at = readyAt, at <= now, linkAt == nil, command & 0x10 != 0, let drive {
      readyAt = nil
      registers[0x20] = 0x50
      registers[0x24] = drive.signature
      post(kind: 0x34, at: 0x40, status: 0x50, error: 1, lba: 1)
      raise(1)
    }
    if let at = stopAt, at <= now {
      stopAt = nil
      settleStop()
    }
  }

  func unplug() {
    drive = nil
    registers[0x28] = 0
    registers[0x20] = 0x7f
    (linkAt, readyAt) = (nil, nil)
    pending = []
    raiseLink(error: 1 << 16, cause: 1 << 22)
  }

  func plug(_ drive: ModelDrive) {
    self.drive = drive
    connect()
  }

  private func raiseLink(error: UInt32, cause: UInt32) {
    registers[0x30] = value(0x30) | error
    raise(cause)
  }

  private func raise(_ causes: UInt32) { registers[0x10] = value(0x10) | causes }

  // MARK: - Registers

  func read(_ offset: Int) -> UInt32 { value(offset) }

  func write(_ new: UInt32, _ offset: Int) {
    switch offset {
    case 0x00, 0x04, 0x08, 0x0c:
      if isRunning { wrong("addresses changed under running engines") }
      registers[offset] = new
    case 0x10: registers[0x10] = value(0x10) & ~new
    case 0x14: registers[0x14] = new
    case 0x18: writeCommand(new)
    case 0x2c: writeLinkControl(new)
    case 0x30:
      registers[0x30] = value(0x30) & ~new
      if new & (1 << 26) != 0 { registers[0x10] = value(0x10) & ~(1 << 6) }
      if new & (1 << 16) != 0 { registers[0x10] = value(0x10) & ~(1 << 22) }
    case 0x34:
      if !isStarted { wrong("SACT without ST") }
      registers[0x34] = value(0x34) | new
    case 0x38: issue(new)
    default: wrong("write to port register \(offset)")
    }
  }

  private func writeCommand(_ new: UInt32) {
    let old = command
    if new & 1 != 0, old & 1 == 0 {
      if new & 0x10 == 0 || value(0x20) & 0x88 != 0 || value(0x28) & 0xf != 3 { wrong("ST too early") }
      if old & 0x8000 != 0 { wrong("ST while CR") }
    }
    if new & 0x10 == 0, old & 0x10 != 0, old & 0x8000 != 0 { wrong("FRE cleared while CR") }
    command = (old & 0xc000) | (new & 0x0fff_3fff)
    if new & 0x10 != 0 { command |= 0x4000 }
    if new & 1 != 0 { command |= 0x8000 }
    let isStopping = new & 1 == 0 && old & 0x8000 != 0 || new & 0x10 == 0 && old & 0x4000 != 0
    if isStopping, !isStuck { stopAt = stopAt ?? now + stopTime }
    elapse()
  }

  private func settleStop() {
    if command & 0x10 == 0 { command &= ~0x4000 }
    guard command & 1 == 0 else { return }
    command &= ~0x8000
    isHalted = false
    pending = []
    registers[0x38] = 0
    if !keepsActive { registers[0x34] = 0 }
  }

  private func writeLinkControl(_ new: UInt32) {
    let old = value(0x2c)
    registers[0x2c] = new
    if new & 0xf == 1, command & 0x8000 != 0 { wrong("COMRESET while CR") }
    if old & 0xf == 1, new & 0xf == 0 { connect() }
  }

  // MARK: - Commands

  private func issue(_ slots: UInt32) {
    guard isStarted else { return wrong("CI without ST") }
    if slots & value(0x38) != 0 { wrong("slot issued twice") }
    registers[0x38] = value(0x38) | slots
    for slot in 0..<32 where slots & 1 << UInt32(slot) != 0 {
      guard let command = ModelCommand(slot: slot, list: list, memory: memory, wrong: wrong) else { continue }
      let isActive = value(0x34) & 1 << UInt32(slot) != 0
      if command.isQueued {
        if !isActive { wrong("queued command without SACT") }
        if Int(command.count >> 3) != slot { wrong("tag \(command.count >> 3) in slot \(slot)") }
        if pending.contains(where: { !$0.isQueued }) { wrong("queued beside others") }
      } else if !pending.isEmpty || drive?.queue.isEmpty == false {
        wrong("command \(command.code) beside queued ones")
      }
      if drive?.queue.contains(where: { $0.slot == slot }) == true { wrong("the drive has slot \(slot) already") }
      pending.append(command)
    }
    if !isPatient { work() }
  }

  /// Lets the drive answer at most `limit` commands.
  func work(_ limit: Int = .max) {
    guard let drive, !isHalted, value(0x28) & 0xf == 3 else { return }
    for command in pending where command.isQueued {
      registers[0x38] = value(0x38) & ~(1 << UInt32(command.slot))
      drive.queue.append(command)
    }
    pending.removeAll(where: \.isQueued)
    var silent: [ModelCommand] = []
    for _ in 0..<min(limit, 64) {
      guard !isHalted else { break }
      let next = pending.first ?? drive.queue.first
      if let causes = trouble, let next, !troubleLasts || next.isTransfer {
        if !troubleLasts { trouble = nil }
        isHalted = true
        return raise(causes)
      }
      if let command = pending.first {
        if !finish(command, drive) { break }
      } else if let command = isReversed ? drive.queue.last : drive.queue.first {
        drive.queue.removeAll { $0.slot == command.slot }
        if !finish(command, drive) { silent.append(command) }
      } else {
        break
      }
    }
    // After an error the drive has forgotten all it had.
    if drive.queuedError == nil { drive.queue += silent }
  }

  /// - Returns: Whether the drive answered.
  private func finish(_ command: ModelCommand, _ drive: ModelDrive) -> Bool {
    let answer = drive.answer(command, memory, wrong: wrong)
    if case .silence = answer { return false }
    let bit: UInt32 = 1 << UInt32(command.slot)
    pending.removeAll { $0.slot == command.slot }
    if case .failed(let status, let error, let lba) = answer {
      registers[0x20] = UInt32(status) | UInt32(error) << 8
      if command.isQueued {
        drive.queuedError = (UInt8(command.slot), error, lba)
        drive.queue = []
        post(kind: 0xa1, at: 0x58, status: status, error: error, lba: 0)
      } else {
        if keepsActive { registers[0x38] = value(0x38) & ~bit }
        post(kind: 0x34, at: 0x40, status: status, error: error, lba: lba)
      }
      isHalted = true
      raise(1 << 30)
      return true
    }
    drive.history.append(command)
    registers[0x20] = 0x50
    registers[command.isQueued ? 0x34 : 0x38] = value(command.isQueued ? 0x34 : 0x38) & ~bit
    post(kind: command.isQueued ? 0xa1 : 0x34, at: command.isQueued ? 0x58 : 0x40, status: 0x50, error: 0, lba: 0)
    if !losesInterrupts { raise(command.isQueued ? 1 << 3 : 1) }
    return true
  }

  /// Stores a frame where the driver receives them (§4.2.1).
  private func post(kind: UInt8, at offset: UInt64, status: UInt8, error: UInt8, lba: UInt64) {
    guard command & 0x10 != 0, let frame = memory.bytes(received + offset, 20) else {
      return wrong("a frame with nowhere to go")
    }
    frame[0] = kind
    frame[2] = status
    frame[3] = error
    for (index, place) in [4, 5, 6, 8, 9, 10].enumerated() where kind == 0x34 {
      frame[place] = UInt8(truncatingIfNeeded: lba >> (8 * index))
    }
  }
}
