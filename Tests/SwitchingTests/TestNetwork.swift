// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Switching

/// Cards on a switch.
final class TestNetwork {
  let configuration: SwitchConfiguration
  let cards: [TestCard]
  var engine: Switch
  var counters = SwitchCounters()
  var now: UInt64 = 1_000_000_000
  /// What each VMM was told.
  var events: [DeviceEvents]
  var failures: [String] = []

  /// - Parameters:
  ///   - card: makes the card of a port.
  ///   - configure: changes the configuration of a port.
  init(
    _ count: Int, card: (Int) -> TestCard = { TestCard(.station($0)) },
    configure: (Int, inout PortConfiguration) -> Void = { _, _ in }
  ) {
    var configuration = SwitchConfiguration()
    configuration.name = "lan"
    configuration.portCount = UInt32(count)
    for index in 0..<count {
      configuration.ports[index].machine = ["vm0", "vm1", "vm2", "vm3", "vm4", "vm5", "vm6", "vm7"][index]
      configuration.ports[index].address = .station(index)
      configure(index, &configuration.ports[index])
    }
    self.configuration = configuration
    cards = (0..<count).map(card)
    events = Array(repeating: .none, count: count)
    engine = Switch(configuration, counters: &counters)
    for index in 0..<count {
      cards[index].fill()
      attach(index)
    }
  }

  func attach(_ index: Int) {
    engine.attach(cards[index].setup, to: index, memory: cards[index].memory.memory, counters: &counters)
  }

  /// Loses the switch, as after a trap, and starts another one.
  func restart() {
    engine = Switch(configuration, counters: &counters)
    for index in cards.indices { attach(index) }
  }

  /// Serves once, and passes on what the VMMs are to know.
  @discardableResult
  func serve() -> Service {
    let service = engine.serve(now: now, counters: &counters)
    var signalled = service.signalled
    while let port = signalled.takeFirst() { events[port].insert(engine.takeEvents(of: port)) }
    var failed = service.failed
    while let port = failed.takeFirst() { failures.append(engine.report(of: port).text) }
    return service
  }

  /// Serves until there is no more to do; drivers look at their queues in between.
  @discardableResult
  func run(polling: Bool = true) -> Service {
    for _ in 0..<100_000 {
      let service = serve()
      if polling { cards.forEach { $0.poll() } }
      guard service.hasMore || hasKicked else { return service }
    }
    Issue.record("the switch does not come to rest")
    return Service()
  }

  /// Whether a driver kicked since this was last asked.
  private var hasKicked: Bool {
    var result = false
    for card in cards {
      result = result || card.receive.hasKicked || card.transmit.hasKicked
      card.receive.hasKicked = false
      card.transmit.hasKicked = false
    }
    return result
  }

  func port(_ index: Int) -> PortCounters { counters.ports[index] }

  /// Whether the counters add up, as `PortCounters` says.
  func expectBalance(sourceLocation: SourceLocation = #_sourceLocation) {
    var copies: UInt64 = 0
    var arrived: UInt64 = 0
    for index in cards.indices {
      let port = port(index)
      let refused = (0..<6).map { port.refused[$0] }.reduce(0, +)
      #expect(port.sent == port.forwarded + refused, sourceLocation: sourceLocation)
      copies += port.copies
      arrived += port.delivered + (0..<5).map { port.lost[$0] }.reduce(0, +)
    }
    #expect(copies == arrived, sourceLocation: sourceLocation)
  }
}

extension PortCounters {
  func refused(_ reason: RefusalReason) -> UInt64 { refused[reason.rawValue] }
  func lost(_ reason: LossReason) -> UInt64 { lost[reason.rawValue] }
}

extension LogLine {
  var text: String { String(decoding: (0..<count).map { bytes[$0] }, as: UTF8.self) }
}

extension MACAddress {
  /// The address of card `index` in the reference system.
  static func station(_ index: Int) -> Self { Self(rawValue: 0x0200_0000_aa01 + UInt64(index)) }
  static var multicast: Self { Self(rawValue: 0x3333_0000_0001) }
}
