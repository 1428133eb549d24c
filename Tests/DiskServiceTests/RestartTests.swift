// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import TestSupport
import Testing

@testable import DiskService

/// A service that is lost, and disks that are reset.
struct RestartTests {
  private static let start = 2048

  private func rig(_ clients: Int = 2) -> Rig {
    let disk = TestDisk()
    disk.divide([(2048, 1024), (4096, 1024)])
    let rig = Rig(disk, clients: (0..<clients).map { _ in TestClient() })
    rig.start()
    return rig
  }

  @Test func `what was under way is done by the next life, once`() {
    let rig = rig()
    let heads = (0..<5).compactMap {
      rig.clients[0].write(Self.start + $0, [UInt8](repeating: UInt8($0 + 1), count: 512))
    }
    rig.serve()
    rig.disk.finish(2)
    rig.serve()
    rig.restart()
    rig.run()
    #expect(Set(rig.clients[0].answers.keys) == Set(heads))
    #expect(rig.clients[0].answers.values.allSatisfy { $0 == 0 })
    #expect(rig.clients[0].strayAnswers == 0)
    #expect(rig.counters.clients[0].resumed == 4)
    #expect((0..<5).allSatisfy { rig.disk.bytes[(2048 + $0) * 512] == UInt8($0 + 1) })
  }

  @Test func `any number of restarts loses nothing and answers nothing twice`() {
    let rig = rig()
    var random = SplitMix64(seed: 11)
    var expected = [[Int: UInt8]](repeating: [:], count: 2)
    var asked = [0, 0]
    var busy: [[UInt16: Int]] = [[:], [:]]
    for step in 0..<6000 {
      let client = Int.random(in: 0..<2, using: &random)
      let sector = Int.random(in: 0..<64, using: &random)
      // A good driver has no two writes to one sector under way.
      if !busy[client].values.contains(sector) {
        let value = UInt8(truncatingIfNeeded: step)
        if let head = rig.clients[client].write(Self.start + sector, [UInt8](repeating: value, count: 512)) {
          busy[client][head] = sector
          expected[client][sector] = value
          asked[client] += 1
        }
      }
      if Bool.random(using: &random) { rig.serve() }
      if !rig.disk.pending.isEmpty, Bool.random(using: &random) {
        rig.disk.finish(Int.random(in: 0..<rig.disk.pending.count, using: &random))
      }
      if Int.random(in: 0..<9, using: &random) == 0 { rig.restart() }
      for index in 0..<2 {
        rig.clients[index].poll()
        for head in rig.clients[index].answers.keys { busy[index][head] = nil }
        #expect(rig.clients[index].answers.values.allSatisfy { $0 == 0 })
        asked[index] -= rig.clients[index].answers.count
        rig.clients[index].answers = [:]
      }
    }
    rig.run()
    for index in 0..<2 {
      #expect(asked[index] == rig.clients[index].answers.count)
      #expect(rig.clients[index].strayAnswers == 0)
      for (sector, value) in expected[index] { #expect(rig.disk.bytes[(2048 + 2048 * index + sector) * 512] == value) }
      #expect(rig.clients[index].memory.isUnharmed)
    }
    #expect(rig.counters.starts > 300)
    #expect(rig.counters.clients[0].resumed > 100)
  }

  @Test func `a reset waits for what is under way, and only for that`() {
    let rig = rig()
    rig.clients[0].write(Self.start, [UInt8](repeating: 1, count: 512))
    rig.serve()
    rig.service.propose(DeviceSetup(), number: 2, of: 0)
    rig.serve()
    #expect(rig.news[0].answer == 1)
    rig.clients[1].read(Self.start)
    rig.serve()
    rig.disk.finishAll()
    rig.serve()
    #expect(rig.news[0].answer == 2)
    rig.clients[1].poll()
    #expect(rig.clients[1].answers.count == 1)
  }

  @Test func `a reset after a restart waits until the controller is at rest`() {
    let rig = rig()
    rig.disk.isQuiet = false
    rig.restart()
    rig.service.propose(DeviceSetup(), number: 2, of: 0)
    rig.serve()
    #expect(rig.news[0].answer == 1)
    rig.disk.isQuiet = true
    rig.serve()
    #expect(rig.news[0].answer == 2)
  }
}
