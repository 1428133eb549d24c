// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import TestSupport
import Testing

@testable import Terminal

/// Random keys and random guests: nothing traps, and nobody speaks in another's name.
@Suite struct FuzzTests {
  private static let rounds = fuzzRounds(8)

  /// A guest's bytes: mostly its own letter, and all that steers a terminal.
  private func text(of machine: Int, _ random: inout SplitMix64) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 1...40, using: &random) {
      switch Int.random(in: 0..<20, using: &random) {
      case 0: bytes.append(0x0a)
      case 1: bytes += [0x0d, 0x0a]
      case 2: bytes.append(0x0d)
      case 3: bytes.append(0x08)
      case 4: bytes.append(0x09)
      case 5:
        bytes += Array("\u{1b}[\(Int.random(in: 0...300, using: &random))".utf8)
        bytes += [pick(Array("mmmDCKJHABfrhlc".utf8), &random)]
      case 6: bytes += Array("│é\u{9b}\u{202e}".utf8)
      case 7: bytes.append(UInt8.random(in: 0x80...0xff, using: &random))
      case 8: bytes.append(UInt8.random(in: 0x00...0x1f, using: &random))
      case 9: bytes += pick([[0x1b, 0x5d], [0x1b, 0x50], [0x1b, 0x5b, 0x3f], [0x1b]], &random)
      case 10: bytes += [UInt8](repeating: 0x41 + UInt8(machine), count: Int.random(in: 1...300, using: &random))
      default: bytes += [UInt8](repeating: 0x41 + UInt8(machine), count: Int.random(in: 1...10, using: &random))
      }
    }
    return bytes
  }

  private func pick<T>(_ choices: [T], _ random: inout SplitMix64) -> T {
    choices[Int.random(in: 0..<choices.count, using: &random)]
  }

  @Test func `each line begins with a name, and no VM's letters stand behind another's`() throws {
    for seed in 0..<UInt64(Self.rounds) {
      var random = SplitMix64(seed: seed)
      var bench = try Bench(machines: 4)
      bench.settle()
      for _ in 0..<60 {
        let machine = Int.random(in: 0..<4, using: &random)
        bench.print(text(of: machine, &random), by: machine)
        if Bool.random(using: &random) { bench.wait(milliseconds: UInt64.random(in: 0...70, using: &random)) }
        if Int.random(in: 0..<8, using: &random) == 0 {
          bench.type(pick(["@", "\u{7f}", "@0", "@1", "@2", "@m12\r", "x\r", "@z", "@?"], &random))
        }
      }
      bench.wait(milliseconds: 100)

      for line in bench.screen where !line.isEmpty {
        let parts = line.split(separator: "│", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].contains("│") else {
          Issue.record("seed \(seed): a line without one name: \(line)")
          return
        }
        guard parts[0] != "roost " else { continue }
        guard let machine = ["vm0 ", "vm1 ", "vm2 ", "vm3 "].firstIndex(of: String(parts[0])) else {
          Issue.record("seed \(seed): nobody's line: \(line)")
          return
        }
        for other in 0..<4 where other != machine {
          if parts[1].contains(Character(UnicodeScalar(UInt8(0x41 + other)))) {
            Issue.record("seed \(seed): vm\(other) behind vm\(machine): \(line)")
            return
          }
        }
      }
    }
  }

  @Test func `of what reaches the terminal only colours and moves along the line are sequences`() throws {
    for seed in 0..<UInt64(Self.rounds) {
      var random = SplitMix64(seed: seed &+ 1_000_000)
      var bench = try Bench(machines: 2)
      for _ in 0..<40 {
        bench.print((0..<100).map { _ in UInt8.random(in: 0...255, using: &random) }, by: 0)
        bench.print(text(of: 1, &random), by: 1)
        bench.wait(milliseconds: 20)
      }

      #expect(String(validating: bench.uart.sent, as: UTF8.self) != nil)
      var index = 0
      let bytes = bench.uart.sent
      while index < bytes.count {
        if bytes[index] == 0x1b {
          #expect(bytes[index + 1] == 0x5b)
          index += 2
          while (0x30...0x3b).contains(bytes[index]) { index += 1 }
          #expect("mKDC".utf8.contains(bytes[index]), "seed \(seed)")
        } else {
          #expect(bytes[index] >= 0x20 || [0x08, 0x0a, 0x0d].contains(bytes[index]), "seed \(seed)")
        }
        index += 1
      }
    }
  }

  @Test func `random keys, guests, log lines and crashes trap nowhere`() throws {
    for seed in 0..<UInt64(Self.rounds) {
      var random = SplitMix64(seed: seed &+ 2_000_000)
      let machines = Int.random(in: 0...16, using: &random)
      let switches = Int.random(in: 0...(31 - machines), using: &random)
      var bench = try Bench(machines: machines, switches: Array(repeating: "lan", count: min(switches, 16)))
      bench.uart.slots = Bool.random(using: &random) ? 16 : nil
      for _ in 0..<60 {
        let keys = (0..<10).map { _ in
          Bool.random(using: &random)
            ? UInt8.random(in: 0...255, using: &random) : pick(Array("@@@?lmnrptq0123456789\r ".utf8), &random)
        }
        bench.uart.incoming += keys
        bench.console.step()
        bench.uart.drain()
        bench.system.now &+= UInt64.random(in: 0...2_000_000_000, using: &random)
        var counters = SwitchCounters()
        withUnsafeMutableBytes(of: &counters) { bytes in
          for index in bytes.indices { bytes[index] = UInt8.random(in: 0...255, using: &random) }
        }
        bench.system.switches[Int.random(in: 0..<16, using: &random)] = counters
        bench.system.log("some line", from: UInt16.random(in: 0...40, using: &random))
        guard machines > 0 else { continue }
        let machine = Int.random(in: 0..<machines, using: &random)
        let ring = bench.console.host.output(of: machine)
        for byte in text(of: machine, &random) { ring.write(byte) }
        if Int.random(in: 0..<10, using: &random) == 0 {
          bench.system.statuses[machine + 1].state = UInt32.random(in: 0...5, using: &random)
          bench.system.statuses[machine + 1].starts &+= 1
          bench.system.statuses[machine + 1].startedAt = random.next()
          bench.system.statuses[machine + 1].traceCount = random.next() >> UInt64.random(in: 0...63, using: &random)
        }
        // A hostile VMM writes the ring's counts as it likes.
        if Int.random(in: 0..<20, using: &random) == 0 {
          bench.system.channels[machine].storeBytes(of: UInt32(truncatingIfNeeded: random.next()), as: UInt32.self)
        }
        bench.console.step()
      }
      #expect(bench.console.screen.queue.space > 0)
    }
  }

  @Test func `in only-current mode random bytes pass unchanged`() throws {
    for seed in 0..<UInt64(Self.rounds) {
      var random = SplitMix64(seed: seed &+ 3_000_000)
      var bench = try Bench(machines: 2)
      bench.type("@q")
      _ = bench.output()
      let bytes = (0..<2000).map { _ in UInt8.random(in: 0...255, using: &random) }
      for start in stride(from: 0, to: 2000, by: 100) {
        bench.print(Array(bytes[start..<(start + 100)]), by: 0)
        bench.print(text(of: 1, &random), by: 1)
      }
      #expect(bench.output() == bytes)
    }
  }
}
