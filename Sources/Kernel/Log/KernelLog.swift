// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Synchronization

/// The system's log: a ring of lines that the console reads, written by whichever core has something to say.
///
/// A global, because a panic has nothing else to hold on to. Its words are atomic; the ring's lines are written under
/// the lock.
struct KernelLog: ~Copyable {
  /// Where the `LogRing` is; 0 until there is memory for it.
  private let ring = Atomic<UInt64>(0)
  /// The number of the next line.
  private let next = Atomic<UInt32>(1)
  /// Whether the console shows what is logged; else the kernel does.
  private let isShownByConsole = Atomic<Bool>(false)
  private let isLocked = Atomic<Bool>(false)
  private let warningCount = Atomic<UInt32>(0)
  /// Whether the console is to be told of new lines.
  private let hasNews = Atomic<Bool>(false)

  /// Begins to keep lines in the zeroed ring at `address`.
  func keep(at address: PhysicalAddress) { ring.store(address.value, ordering: .releasing) }

  /// Where the ring is; it has been kept since before the boot image is read.
  var address: PhysicalAddress { PhysicalAddress(ring.load(ordering: .acquiring)) }

  /// From now on the console shows what is logged: lines up to now it need not repeat.
  func handOver() {
    guard let header else { return }
    header.value.firstUnshown = next.load(ordering: .acquiring)
    isShownByConsole.store(true, ordering: .releasing)
  }

  /// From now on the kernel itself shows what is logged.
  func takeBack() { isShownByConsole.store(false, ordering: .releasing) }

  /// Adds a message, in as many rows as it needs; shows it too unless the console does.
  func add(_ level: LogLevel, _ line: borrowing LogLine, source: UInt16, name: ShortName) {
    if level == .warning || level == .error { warningCount.add(1, ordering: .relaxed) }
    lock()
    var rows = LogRows(copy line)
    while let row = rows.next() { keep(level, row, source: source) }
    if !isShownByConsole.load(ordering: .acquiring) {
      show(line, name: name, isWarning: level == .warning)
    }
    isLocked.store(false, ordering: .releasing)
  }

  private func keep(_ level: LogLevel, _ line: borrowing LogLine, source: UInt16) {
    guard let header else { return }
    let number = next.load(ordering: .relaxed)
    var record = LogRecord()
    record.level = level.rawValue
    record.count = UInt8(truncatingIfNeeded: line.count)
    record.source = source
    for index in 0..<min(line.count, LogLine.rowCapacity) { record.text[index] = line.bytes[index] }
    let place: Cell<LogRecord> = BootMemory.place(at: address + UInt64(LogRing.offset(ofLine: number)))
    // Readers take a record by its sequence number, which is 0 while the rest changes.
    place.value = record
    atomicMemoryFence(ordering: .releasing)
    place.value.sequence = number
    atomicMemoryFence(ordering: .releasing)
    header.value.newest = number
    next.store(number &+ 1, ordering: .relaxed)
    hasNews.store(true, ordering: .releasing)
  }

  /// Warnings and errors up to now.
  var warnings: UInt32 { warningCount.load(ordering: .relaxed) }

  /// Writes a message to the UARTs, each row as "roost: text" or "vm0: text".
  func show(_ line: borrowing LogLine, name: ShortName, isWarning: Bool = false) {
    var rows = LogRows(copy line)
    if let first = rows.next() { show(row: first, name: name, isWarning ? ": warning: " : ": ") }
    while let row = rows.next() { show(row: row, name: name, ": ") }
  }

  private func show(row line: borrowing LogLine, name: ShortName, _ lead: LogLine) {
    for index in 0..<name.count { EarlyConsole.write(name.bytes[index]) }
    for index in 0..<lead.count { EarlyConsole.write(lead.bytes[index]) }
    for index in 0..<line.count { EarlyConsole.write(line.bytes[index]) }
    EarlyConsole.write(0x0d)
    EarlyConsole.write(0x0a)
  }

  /// Whether there are lines that the console was not told of; from now on it was.
  func takeNotice() -> Bool {
    hasNotice && hasNews.exchange(false, ordering: .acquiring)
  }

  /// Whether there is something new that somebody must be told of.
  @inline(__always)
  var hasNotice: Bool { hasNews.load(ordering: .relaxed) }

  /// The ring's header, once there is a ring.
  private var header: Cell<LogHeader>? { address.value == 0 ? nil : BootMemory.place(at: address) }

  /// A bounded wait: a core that panics goes on regardless.
  private func lock() {
    for _ in 0..<100_000_000 {
      if !isLocked.exchange(true, ordering: .acquiring) { return }
      cx86_pause()
    }
  }
}

let kernelLog = KernelLog()

/// Logs a line of the kernel's own.
func log(_ level: LogLevel = .information, _ line: LogLine) {
  kernelLog.add(level, line, source: LogRecord.kernelSource, name: "roost")
}
