// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import AHCI
import Bits
import Component
import DiskService

/// A disk and its links to the VMMs of those who have a part of it.
struct DiskServer<Drive: DiskDrive & ~Copyable>: ~Copyable {
  private var service: DiskService<Drive>
  private var links = InlineArray<16, DeviceLink?>(repeating: nil)
  private let clientCount: Int
  private var pace: Pace
  private let scale = Time.scale
  private let configuration = Mapped<DiskConfiguration>.configuration
  /// A server finds its own counters where the console finds those of the first disk.
  private let counters = Mapped<DiskCounters>.counters(ofDisk: 0)

  /// A disk with all clients that are in use, which a former life may have left in the middle of something.
  init(_ drive: consuming Drive) {
    // SAFETY: the description maps the state's bytes into every disk server, and they outlive it.
    service = unsafe DiskService(
      configuration.value, drive: drive, unsafeState: Memory.pointer(AddressMap.serverState),
      counters: &counters.value)
    pace = Pace(now: scale.nanoseconds(ofTicks: Time.ticks))
    clientCount = min(Int(configuration.value.clientCount), DiskConfiguration.clientCapacity)
    for client in 0..<clientCount {
      // SAFETY: the description maps a page for each client into its server.
      let link = unsafe DeviceLink(
        unsafeBase: Memory.pointer(AddressMap.channels + UInt64(client) * AddressMap.channelStride))
      links[client] = link
      if let proposal = link.proposal() {
        service.propose(proposal.setup, number: proposal.number, of: client)
      } else {
        service.resume(link.answeredSetup(), of: client, memory: ClientMemory.of(client), counters: &counters.value)
      }
      // What a former life answered it may not have said.
      if link.raise(.queue(0) | .queue(1) | .queue(2) | .queue(3)) { Kernel.signal(channel: client) }
    }
  }

  /// Moves data whenever there is something to move.
  mutating func run() -> Never {
    var hasInterrupt = false
    while true {
      let now = scale.nanoseconds(ofTicks: Time.ticks)
      let turn = service.serve(
        now: now, hasInterrupt: hasInterrupt, memory: ClientMemory.of, counters: &counters.value)
      if hasInterrupt { Kernel.acknowledgeInterrupt(slot: DiskConfiguration.interruptSlot) }
      passOn(turn)
      hasInterrupt = hear(waitForMore(turn, now: now))
    }
  }

  /// Tells VMMs what happened to their disks, and people what they should know.
  private mutating func passOn(_ turn: DiskTurn) {
    while let message = service.takeMessage() { Kernel.log(message.level, message.line) }
    var signalled = turn.signalled
    while let client = signalled.takeFirst() {
      let news = service.takeNews(of: client)
      guard let link = links[client] else { continue }
      if let description = news.description { link.describe(description) }
      if let number = news.answer { link.answer(number) }
      let events = Kernel.post(news.events, channel: client)
      let isFirst = events.isEmpty ? false : link.raise(events)
      if isFirst || news.answer != nil { Kernel.signal(channel: client) }
    }
  }

  /// Sleeps until there is something to do, or for a moment if there always is.
  private mutating func waitForMore(_ turn: DiskTurn, now: UInt64) -> Notifications {
    var time = turn.deadline
    if turn.hasMore { time = pace.resumption(now: now) } else { pace.rest(now: now) }
    Kernel.setTimer(atTick: time.map { max(scale.ticks(ofNanoseconds: $0), 1) } ?? 0)
    return Kernel.wait()
  }

  /// Looks at the disks whose drivers kicked or whose VMMs have news.
  /// - Returns: Whether the controller interrupted.
  private mutating func hear(_ notifications: Notifications) -> Bool {
    for client in 0..<clientCount where notifications.contains(.channel(client)) {
      guard let link = links[client] else { continue }
      #if FAULT_INJECTION
        if link.takeFault() { preconditionFailure("the test wants a trap") }
      #endif
      counters.value.clients[client].kicks &+= 1
      if let proposal = link.proposal() {
        service.propose(proposal.setup, number: proposal.number, of: client)
      } else {
        service.kicked(client)
      }
    }
    return notifications.contains(.interrupt(DiskConfiguration.interruptSlot))
  }
}

/// The memory of the VMs that have a part of the disk.
private enum ClientMemory {
  static func of(_ client: Int) -> GuestMemory {
    let own = Mapped<DiskConfiguration>.configuration.value.clients[client]
    return Memory.guest(number: Int(own.machineNumber), lowSize: own.lowSize, highSize: own.highSize)
  }
}
