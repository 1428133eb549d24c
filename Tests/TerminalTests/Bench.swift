// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

@testable import Terminal

/// The system that the console under test believes it runs on.
final class FakeSystem {
  var now: UInt64 = 1_000_000_000
  var statuses = [DomainStatus](repeating: DomainStatus(), count: 32)
  var switches = [SwitchCounters](repeating: SwitchCounters(), count: 16)
  var disks = [DiskCounters](repeating: DiskCounters(), count: 4)
  var signals: [Int] = []
  var stopped: [UInt32] = []
  var restarted: [UInt32] = []
  var timer: UInt64 = 0
  let channels: [UnsafeMutableRawPointer]
  let log: UnsafeMutableRawPointer
  private var lines: UInt32 = 0

  init(machines: Int) {
    channels = (0..<machines).map { _ in Self.zeroed(Int(ConsoleChannel.size)) }
    log = Self.zeroed(Int(LogRing.size))
  }

  /// Memory that outlives the test: the console keeps pointers into it.
  static func zeroed(_ count: Int) -> UnsafeMutableRawPointer {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 4096)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    return memory
  }

  /// Adds a line to the log, as the kernel does.
  func log(_ text: String, from source: UInt16, level: LogLevel = .information) {
    lines += 1
    var record = LogRecord()
    record.sequence = lines
    record.level = level.rawValue
    record.source = source
    record.count = UInt8(text.utf8.count)
    for (index, byte) in text.utf8.enumerated() { record.text[index] = byte }
    log.storeBytes(of: record, toByteOffset: LogRing.offset(ofLine: lines), as: LogRecord.self)
    log.storeBytes(of: lines, as: UInt32.self)
  }
}

struct FakeHost: ConsoleHost {
  let system: FakeSystem
  var now: UInt64 { system.now }
  var frequency: UInt64 { 1_000_000_000 }
  var memoryOutsideGuests: UInt64 { 4_194_304 }
  func status(of domain: UInt32) -> DomainStatus { system.statuses[Int(domain)] }
  func counters(ofSwitch number: Int) -> SwitchCounters { system.switches[number] }
  func counters(ofDisk number: Int) -> DiskCounters { system.disks[number] }
  func output(of machine: Int) -> ByteRing { ConsoleChannel.output(unsafeBase: system.channels[machine]) }
  func input(of machine: Int) -> ByteRing { ConsoleChannel.input(unsafeBase: system.channels[machine]) }
  func keys(of machine: Int) -> MachineKeys { ConsoleChannel.keys(unsafeBase: system.channels[machine]) }
  mutating func signal(machine: Int) { system.signals.append(machine) }
  mutating func stop(domain: UInt32) { system.stopped.append(domain) }
  mutating func restart(domain: UInt32) { system.restarted.append(domain) }
  mutating func setTimer(atTick tick: UInt64) { system.timer = tick }
}

/// A console with VMs vm0, vm1, … or other names, a person at its line, and hands on the other ends of its rings.
struct Bench {
  let system: FakeSystem
  let uart = FakeUART()
  var console: Console<FakePorts, FakeHost>
  private var shown = 0

  /// VM n is domain n + 1, the first of the switches the one after the VMs.
  /// - Parameter ended: A VM that stopped before there was a console.
  init(
    machines: Int = 3, switches: [String] = [], disks: [String] = [], ended: Int? = nil,
    name: (Int) -> String = { "vm\($0)" }
  ) throws {
    system = FakeSystem(machines: machines)
    var configuration = ConsoleConfiguration()
    configuration.count = UInt16(machines)
    configuration.switchCount = UInt32(switches.count)
    configuration.diskCount = UInt32(disks.count)
    for (index, name) in (switches + disks).enumerated() {
      system.statuses[machines + 1 + index].name = Self.name(name)
      system.statuses[machines + 1 + index].state = DomainState.running.rawValue
      system.statuses[machines + 1 + index].starts = 1
    }
    for index in 0..<machines {
      configuration.machines[index].name = Self.name(name(index))
      configuration.machines[index].domain = UInt32(index + 1)
      configuration.machines[index].memory = 1900 << 20
      system.statuses[index + 1].state = (index == ended ? DomainState.stopped : .running).rawValue
      system.statuses[index + 1].starts = 1
    }
    let workspace = FakeSystem.zeroed(Int(ConsoleWorkspace.size(machines: machines)))
    console = try Console(
      configuration: configuration, host: FakeHost(system: system), space: FakePorts(uart: uart),
      log: LogView(unsafeBase: system.log), unsafeWorkspace: workspace)
  }

  static func name(_ text: String) -> ShortName {
    var name = ShortName()
    for (index, byte) in text.utf8.prefix(24).enumerated() { name.bytes[index] = byte }
    return name
  }

  /// The bytes sent since this was last asked.
  mutating func output() -> [UInt8] {
    defer { shown = uart.sent.count }
    return Array(uart.sent[shown...])
  }

  /// What a person reads on an empty screen since this was last asked.
  mutating func read() -> [String] { Glass(output()).text }

  /// Everything that was ever on the screen.
  var screen: [String] { Glass(uart.sent).text }

  /// Runs the console until nothing is left to do at this time.
  mutating func settle() {
    for _ in 0..<10_000 {
      let before = uart.sent.count
      uart.drain()
      console.step()
      let isDone = system.timer == 0 || system.timer > system.now
      if uart.sent.count == before, uart.incoming.isEmpty, isDone { return }
    }
  }

  /// Lets time pass, with the console woken whenever its timer comes.
  mutating func wait(milliseconds: UInt64) {
    let end = system.now + milliseconds * 1_000_000
    settle()
    while system.timer != 0, system.timer <= end {
      system.now = max(system.now, system.timer)
      settle()
    }
    system.now = end
    settle()
  }

  mutating func type(_ text: String) { type(Array(text.utf8)) }

  mutating func type(_ bytes: [UInt8]) {
    uart.incoming += bytes
    settle()
  }

  mutating func print(_ text: String, by machine: Int) { print(Array(text.utf8), by: machine) }

  /// Has a guest print, as fast as its ring takes it.
  mutating func print(_ bytes: [UInt8], by machine: Int) {
    let ring = console.host.output(of: machine)
    for byte in bytes {
      if ring.space == 0 { settle() }
      ring.write(byte)
    }
    settle()
  }

  /// What a guest finds typed.
  func typed(to machine: Int) -> String {
    let ring = console.host.input(of: machine)
    var bytes: [UInt8] = []
    while let byte = ring.read() { bytes.append(byte) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
