// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver
import Testing

extension SystemTests.NetworkTests {
  @Test func `256 MiB by TCP arrive as they were sent`() async throws {
    let system = try await FourOnASwitch.system
    let stream = Stream(from: 0, to: 1, mebibytes: Stream.usualSize)
    let before = try await system.port(of: 1)
    try await stream.start(system)
    try await stream.finish(system, within: .seconds(300))
    let after = try await system.port(of: 1)
    #expect(after["delivered_bytes"] - before["delivered_bytes"] > stream.mebibytes << 20)
    try await system.expectThatCountersAddUp()
  }

  /// For ten minutes with `make traffic`.
  @Test func `mixed traffic among four VMs leaves no queue stuck, and counters that add up`() async throws {
    let system = try await FourOnASwitch.system
    let seconds = ProcessInfo.processInfo.environment["ROOST_TRAFFIC_SECONDS"].flatMap { Int($0) } ?? 20
    var before: [Totals] = []
    for number in FourOnASwitch.numbers {
      before.append(try await totals(of: number))
      try await system.paste("traffic.sh", on: number)
    }
    for number in FourOnASwitch.numbers {
      try await system.run("{ sh /tmp/traffic.sh \(number + 1) \(seconds) > /tmp/traffic.log 2>&1 & }", on: number)
    }
    for number in FourOnASwitch.numbers {
      let text = try await system.run(
        "until grep -q done: /tmp/traffic.log; do sleep 1; done; grep done: /tmp/traffic.log", on: number,
        within: .seconds(seconds * 3 + 240))
      let streams = text.firstMatch(of: /done: (\d+) streams/).flatMap { Int($0.1) } ?? 0
      #expect(streams > 0, "vm\(number): \(text)")
    }

    try await system.pingAllPairs()
    try await system.expectThatCountersAddUp()
    for number in FourOnASwitch.numbers { try await expectThatAllArrived(number, since: before[number]) }
  }

  /// Frames that were received: by the count of the switch, and by that of the guest's driver.
  private struct Totals {
    var delivered: Int
    var seen: Int
  }

  private func totals(of number: Int) async throws -> Totals {
    let system = try await FourOnASwitch.system
    let seen = try await system.run("cat /sys/class/net/eth0/statistics/rx_packets", on: number)
    return Totals(delivered: try await system.port(of: number)["delivered"], seen: try #require(Int(seen)))
  }

  /// What the switch says to have delivered, the guest's driver has seen.
  private func expectThatAllArrived(_ number: Int, since before: Totals) async throws {
    var difference = 0
    // A frame may come between the two looks: then look again.
    for _ in 0..<10 {
      let now = try await totals(of: number)
      difference = (now.delivered - before.delivered) - (now.seen - before.seen)
      if difference == 0 { return }
    }
    Issue.record("vm\(number) has not seen \(difference) frames that were delivered")
  }
}
