// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Switching

/// A switch and its links to the VMMs of the cards on it.
struct SwitchServer: ~Copyable {
  private var network: Switch
  private var links = InlineArray<16, DeviceLink?>(repeating: nil)
  private let portCount: Int
  private let scale = Time.scale
  private var pace: Pace
  private var reports = ReportLimit()

  private let configuration = Mapped<SwitchConfiguration>.configuration
  /// A switch finds its own counters where the console finds those of the first.
  private let counters = Mapped<SwitchCounters>.counters(ofSwitch: 0)

  /// A switch with all cards that are in use, which a former life may have left in the middle of something.
  init() {
    network = Switch(configuration.value, counters: &counters.value)
    portCount = min(Int(configuration.value.portCount), SwitchConfiguration.portCapacity)
    pace = Pace(now: scale.nanoseconds(ofTicks: Time.ticks))
    for port in 0..<portCount {
      // SAFETY: the description maps a page for each port into its switch.
      let link = unsafe DeviceLink(
        unsafeBase: Memory.pointer(AddressMap.channels + UInt64(port) * AddressMap.channelStride))
      links[port] = link
      if let proposal = link.proposal() {
        adopt(proposal, link, port)
      } else {
        attach(link.answeredSetup(), port)
      }
      // What a former life completed it may not have said.
      if link.raise(.queue(0) | .queue(1)) { Kernel.signal(channel: port) }
    }
  }

  /// Moves frames whenever there are some.
  consuming func run() -> Never {
    while true {
      let now = scale.nanoseconds(ofTicks: Time.ticks)
      let service = network.serve(now: now, counters: &counters.value)
      passOn(service, now: now)
      hear(waitForMore(service, now: now))
    }
  }

  /// Tells VMMs what happened to their cards, and people of those that failed.
  private mutating func passOn(_ service: Service, now: UInt64) {
    var failed = service.failed
    while let port = failed.takeFirst() {
      guard let withheld = reports.admit(port: port, now: now) else { continue }
      if withheld > 0 { Kernel.log(.warning, network.report(of: port, times: withheld)) }
      Kernel.log(.warning, network.report(of: port))
    }
    var signalled = service.signalled
    while let port = signalled.takeFirst() {
      let events = Kernel.post(network.takeEvents(of: port), channel: port)
      if !events.isEmpty, let link = links[port], link.raise(events) { Kernel.signal(channel: port) }
    }
  }

  /// Sleeps until there is something to do, or for a moment if there always is.
  private mutating func waitForMore(_ service: Service, now: UInt64) -> Notifications {
    var time = service.deadline
    if service.hasMore { time = pace.resumption(now: now) } else { pace.rest(now: now) }
    Kernel.setTimer(atTick: time.map { max(scale.ticks(ofNanoseconds: $0), 1) } ?? 0)
    return Kernel.wait()
  }

  /// Looks at the cards whose drivers kicked or whose VMMs have news.
  private mutating func hear(_ notifications: Notifications) {
    for port in 0..<portCount where notifications.contains(.channel(port)) {
      counters.value.ports[port].kicks &+= 1
      guard let link = links[port] else { continue }
      #if FAULT_INJECTION
        if link.takeFault() { preconditionFailure("the test wants a trap") }
      #endif
      if let proposal = link.proposal() { adopt(proposal, link, port) }
    }
  }

  /// Acts on what a VMM proposes, and says so: only then does it go on.
  private mutating func adopt(_ proposal: (number: UInt32, setup: DeviceSetup), _ link: DeviceLink, _ port: Int) {
    attach(proposal.setup, port)
    link.answer(proposal.number)
    Kernel.signal(channel: port)
  }

  private mutating func attach(_ setup: DeviceSetup, _ port: Int) {
    let own = configuration.value.ports[port]
    let memory = Memory.guest(number: Int(own.machineNumber), lowSize: own.lowSize, highSize: own.highSize)
    network.attach(setup, to: port, memory: memory, counters: &counters.value)
  }
}
