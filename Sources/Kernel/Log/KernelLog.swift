// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Synchronization

/// The system's log: a ring of lines that the console reads, written by whichever core has something to say.
///
/// The one global of the kernel: a panic has nothing else to hold on to.
@safe
struct KernelLog {
  /// The `LogRing`, once there is memory for it.
  private var ring: UnsafeMutableRawPointer?
  private var next: UInt32 = 1
  /// Whether the console shows what is logged; else the kernel does.
  var isShownByConsole = false
  var console = EarlyConsole()

  init() { unsafe ring = nil }

  /// Where the lock is in the ring's first bytes; behind `LogHeader`.
  private static var lockOffset: Int { 64 }
  /// Where it says that the console is to be told of new lines.
  private static var noticeOffset: Int { 68 }

  /// Begins to keep lines in the zeroed ring at `address`.
  mutating func keep(at address: PhysicalAddress) { unsafe ring = DirectMap.pointer(address) }

  /// Where the ring is; it has been kept since before the boot image is read.
  var address: PhysicalAddress { unsafe PhysicalAddress(UInt64(UInt(bitPattern: ring)) - DirectMap.base) }

  /// From now on the console shows what is logged: lines up to now it need not repeat.
  mutating func handOver() {
    guard let ring = unsafe ring else { return }
    // SAFETY: the ring begins with its header.
    unsafe ring.assumingMemoryBound(to: LogHeader.self).pointee.firstUnshown = next
    isShownByConsole = true
  }

  /// Adds a line; shows it too unless the console does.
  mutating func add(_ level: LogLevel, _ line: borrowing LogLine, source: UInt16, name: ShortName) {
    lock()
    keep(level, line, source: source)
    if !isShownByConsole { show(line, name: name) }
    unlock()
  }

  private mutating func keep(_ level: LogLevel, _ line: borrowing LogLine, source: UInt16) {
    guard let ring = unsafe ring else { return }
    var record = LogRecord()
    record.level = level.rawValue
    record.count = UInt8(truncatingIfNeeded: line.count)
    record.source = source
    record.text = line.bytes
    let offset = LogRing.recordsOffset + Int(next) % LogRing.capacity * MemoryLayout<LogRecord>.stride
    // SAFETY: the offset is that of a record inside the ring; readers take a record by its sequence number, which is
    // 0 while the rest changes.
    unsafe (ring + offset).assumingMemoryBound(to: LogRecord.self).pointee = record
    atomicMemoryFence(ordering: .releasing)
    unsafe (ring + offset).assumingMemoryBound(to: UInt32.self).pointee = next
    atomicMemoryFence(ordering: .releasing)
    unsafe ring.assumingMemoryBound(to: LogHeader.self).pointee.newest = next
    next &+= 1
    unsafe word(Self.noticeOffset, of: ring).pointee.store(1, ordering: .releasing)
  }

  /// Writes a line to the UART: "roost: text" or "vm0: text".
  func show(_ line: borrowing LogLine, name: ShortName) {
    for index in 0..<name.count { console.write(name.bytes[index]) }
    console.write(0x3a)
    console.write(0x20)
    for index in 0..<line.count { console.write(line.bytes[index]) }
    console.write(0x0d)
    console.write(0x0a)
  }

  /// Whether there are lines that the console was not told of; from now on it was.
  func takeNotice() -> Bool {
    guard let ring = unsafe ring else { return false }
    // SAFETY: the word is its own, in memory that stays.
    let word = unsafe word(Self.noticeOffset, of: ring)
    return unsafe word.pointee.load(ordering: .relaxed) != 0 && word.pointee.exchange(0, ordering: .acquiring) != 0
  }

  /// A bounded wait: a core that panics goes on regardless.
  private func lock() {
    guard let ring = unsafe ring else { return }
    // SAFETY: the lock's word is its own, in memory that stays.
    let word = unsafe word(Self.lockOffset, of: ring)
    for _ in 0..<100_000_000 {
      if unsafe word.pointee.exchange(1, ordering: .acquiring) == 0 { return }
      cx86_pause()
    }
  }

  private func unlock() {
    guard let ring = unsafe ring else { return }
    // SAFETY: as in `lock`.
    unsafe word(Self.lockOffset, of: ring).pointee.store(0, ordering: .releasing)
  }

  private func word(_ offset: Int, of ring: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Atomic<UInt32>> {
    // SAFETY: both offsets are aligned and lie between the header and the records.
    unsafe (ring + offset).assumingMemoryBound(to: Atomic<UInt32>.self)
  }
}

nonisolated(unsafe) var kernelLog = KernelLog()

/// Logs a line of the kernel's own.
func log(_ level: LogLevel = .information, _ line: LogLine) {
  unsafe kernelLog.add(level, line, source: LogRecord.kernelSource, name: "roost")
}
