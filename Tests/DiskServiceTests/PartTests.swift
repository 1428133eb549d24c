// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Storage
import TestSupport
import Testing

@testable import DiskService

/// What clients get of a disk, and what they are told if they get nothing.
struct PartTests {
  private func states(_ rig: Rig) -> [UInt32?] { rig.news.map { $0.description?.state } }

  @Test func `who names a partition that is not there gets nothing, the others do`() {
    let disk = TestDisk()
    disk.divide([(2048, 1024)])
    let rig = Rig(disk, clients: [TestClient(), TestClient()]) { index, client in client.partition = [1, 7][index] }
    rig.start()
    #expect(states(rig) == [DeviceState.present.rawValue, DeviceState.missing.rawValue])
    #expect(rig.messages.contains("vm: vda: partition 7 of sata0: there is no such partition"))
    #expect(rig.counters.clients[1].state == DiskClientState.up.rawValue)
    rig.clients[1].read(0)
    rig.run()
    #expect(Array(rig.clients[1].answers.values) == [1])
  }

  @Test func `names and identifiers are understood as the image has them`() {
    let disk = TestDisk()
    disk.divide([(2048, 1024)])
    let texts = ["data", "3f1c2a10-1111-4222-8333-444455556666", "12345678-01"]
    let kinds = [DiskSelection.name, .identifier, .identifier]
    let rig = Rig(disk, clients: texts.map { _ in TestClient() }) { index, client in
      client.selection = kinds[index].rawValue
      client.textCount = UInt32(texts[index].utf8.count)
      for (place, byte) in texts[index].utf8.enumerated() { client.text[place] = byte }
    }
    rig.start()
    #expect(rig.messages.contains("vm: vda: partition 'data' of sata0: there is no such partition"))
    #expect(rig.messages.contains("vm: vda: partition \(texts[1]) of sata0: there is no such partition"))
    #expect(rig.messages.contains("vm: vda: partition 12345678-01 of sata0: there is no such partition"))
  }

  @Test func `two who may write share no sector`() {
    let disk = TestDisk()
    disk.divide([(2048, 1024)])
    let rig = Rig(disk, clients: [TestClient(), TestClient()]) { index, client in
      if index == 1 { client.selection = DiskSelection.whole.rawValue } else { client.partition = 1 }
    }
    rig.start()
    #expect(states(rig) == [DeviceState.present.rawValue, DeviceState.missing.rawValue])
    #expect(rig.messages.contains { $0.hasPrefix("vm: vda: all of sata0: vm has it already") })
  }

  @Test func `two who only read share what they like`() {
    let disk = TestDisk()
    disk.divide([(2048, 1024)])
    let rig = Rig(disk, clients: [TestClient(), TestClient()]) { _, client in
      client.partition = 1
      client.isReadOnly = 1
    }
    rig.start()
    #expect(states(rig) == [DeviceState.present.rawValue, DeviceState.present.rawValue])
  }

  @Test func `a disk without a table has nothing for anybody`() {
    let rig = Rig(TestDisk(), clients: [TestClient()])
    rig.start()
    #expect(states(rig) == [DeviceState.missing.rawValue])
    #expect(rig.messages.contains("vm: vda: partition 1 of sata0: the disk has no partition table"))
  }

  @Test func `without a drive requests fail, and when it comes they do not`() {
    let disk = TestDisk()
    disk.divide([(2048, 1024)])
    let facts = disk.facts
    (disk.facts, disk.status) = (nil, .absent)
    let rig = Rig(disk, clients: [TestClient()])
    rig.start()
    #expect(states(rig) == [DeviceState.missing.rawValue])
    rig.clients[0].read(2048)
    rig.run()
    #expect(Array(rig.clients[0].answers.values) == [1])
    (disk.facts, disk.status) = (facts, .ready)
    disk.facts?.generation = 1
    rig.serve()
    rig.clients[0].answers = [:]
    rig.clients[0].read(2048)
    rig.run()
    #expect(states(rig) == [DeviceState.present.rawValue])
    #expect(Array(rig.clients[0].answers.values) == [0])
  }

  @Test func `a driver that breaks the rules is shut down alone, until it resets`() {
    let disk = TestDisk()
    disk.divide([(2048, 1024), (4096, 1024)])
    let rig = Rig(disk, clients: [TestClient(), TestClient()])
    rig.start()
    rig.clients[0].read(2048)
    let available = Int(rig.clients[0].setup.queues[0].available)
    rig.clients[0].memory[available + 4] = UInt16(9999)
    rig.clients[1].read(2048)
    rig.run()
    #expect(rig.news[0].events.contains(.needsReset))
    #expect(rig.counters.clients[0].state == DiskClientState.failed.rawValue)
    #expect(rig.clients[1].answers.count == 1)
    #expect(rig.messages.contains("vm: vda is shut down: queue 0: a descriptor's number is too large"))
    rig.service.propose(DeviceSetup(), number: 2, of: 0)
    rig.serve()
    #expect(rig.news[0].answer == 2)
    #expect(rig.counters.clients[0].state == DiskClientState.down.rawValue)
  }

  @Test func `whatever is in the queue, nothing outside the partition changes`() {
    var random = SplitMix64(seed: 5)
    for _ in 0..<fuzzRounds(50) {
      let disk = TestDisk()
      disk.divide([(2048, 64), (4096, 64)])
      let before = disk.bytes
      let rig = Rig(disk, clients: [TestClient()])
      rig.start()
      for _ in 0..<20 {
        let type = [UInt32(0), 1, 4, 8, 11, 13, .random(in: 0...20, using: &random)].randomElement(using: &random) ?? 0
        let sector = Int.random(in: 2040...2120, using: &random)
        let length = Int.random(in: 0...8, using: &random) * 512 + (Int.random(in: 0..<9, using: &random) == 0 ? 7 : 0)
        _ = rig.clients[0].request(type, sector, [(length, Bool.random(using: &random))]) { place in
          for index in 0..<max(length, 16) {
            rig.clients[0].memory[place + index] = UInt8.random(in: .min ... .max, using: &random)
          }
        }
        for _ in 0..<Int.random(in: 0..<3, using: &random) {
          let place = Int.random(in: 0..<rig.clients[0].memory.size, using: &random)
          rig.clients[0].memory[place] = UInt8.random(in: .min ... .max, using: &random)
        }
        rig.run()
      }
      let changed = disk.bytes.indices.filter { disk.bytes[$0] != before[$0] }.map { $0 / 512 }
      #expect(changed.allSatisfy { (2048..<2112).contains($0) })
      #expect(rig.clients[0].memory.isUnharmed)
    }
  }
}
