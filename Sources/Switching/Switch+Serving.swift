// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
import Bits
import Virtio

/// What one call of `Switch.serve` leaves to its caller.
package struct Service {
  /// Whether to call again at once. If not, each driver kicks when there is work.
  package var hasMore = false
  /// When to call again although nobody kicked, in nanoseconds; `nil` if never.
  package var deadline: UInt64? = nil
  /// Ports whose VMMs are to be told what `takeEvents` returns.
  package var signalled: PortSet = .none
  /// Ports that failed, each reported once: `report` says why.
  package var failed: PortSet = .none
}

/// How the turn of a port ended.
private enum Turn {
  /// All is sent.
  case idle
  /// It sent as much as is fair.
  case unfinished
  /// It cannot go on before this time, unless its receiver kicks.
  case waits(until: UInt64)
}

extension Switch {
  /// What a port may cause in its turn: bytes copied, and `frameCost` for each frame.
  private static var fairShare: Int { 128 << 10 }
  static var frameCost: Int { 1024 }

  /// Moves frames, a bounded number of them, each port in its turn.
  ///
  /// Kicks are off while there is more to do; before it says that there is not, it has turned them on and looked again.
  /// - Parameter now: The time in nanoseconds, which never goes back.
  package mutating func serve(now: UInt64, counters: inout SwitchCounters) -> Service {
    turnKicksOff()
    var service = Service()
    var idle = PortSet.none
    for number in 0..<portCount {
      let port = (first + number) % portCount
      guard live.contains(.port(port)) else { continue }
      switch turn(of: port, now: now, &counters) {
      case .idle: idle.insert(.port(port))
      case .unfinished: service.hasMore = true
      case .waits(let time): service.deadline = min(service.deadline ?? .max, time)
      }
    }
    first = portCount == 0 ? 0 : (first + 1) % portCount
    if let time = raiseInterrupts(now, &counters) { service.deadline = min(service.deadline ?? .max, time) }
    if !service.hasMore { service.hasMore = turnKicksOn(idle) }
    service.signalled = signalled
    service.failed = failed
    failed = .none
    return service
  }

  /// Sends what the driver on `port` has to send.
  private mutating func turn(of port: Int, now: UInt64, _ counters: inout SwitchCounters) -> Turn {
    guard let driver = ports[port].driver else { return .idle }
    var receivers = PortSet.none
    var result = Turn.unfinished
    var budget = Self.fairShare
    do throws(QueueError) {
      while budget > 0 {
        if let time = ports[port].limit.delay(at: now) {
          result = .waits(until: time)
          break
        }
        guard try ports[port].card?.transmit.next(into: &bench.sent) == true else {
          result = .idle
          break
        }
        let step = forward(from: port, driver, now: now, &receivers, &counters)
        if case .waits(let time) = step {
          ports[port].card?.transmit.putBack()
          result = .waits(until: time)
          break
        }
        if case .done(let cost) = step { budget -= cost }
        finishFrame(of: port, now: now, &counters.ports[port])
      }
    } catch { fail(port, CardError(queue: .transmit, reason: error), &counters) }
    publish(port, receivers)
    return result
  }

  /// Gives the frame on the bench back to its sender.
  private mutating func finishFrame(of port: Int, now: UInt64, _ counters: inout PortCounters) {
    let length = max(0, bench.sent.readableCount - NetworkHeader.size)
    ports[port].card?.giveBack(bench.sent.head, now: now)
    ports[port].limit.charge(bytes: min(length, Frame.maximumLength), at: now)
    ports[port].segmentsGiven = 0
    counters.sent &+= 1
    counters.sentBytes &+= UInt64(length)
  }

  /// Shows drivers what happened in a turn: receivers first, so that a switch lost here sends twice rather than never.
  private mutating func publish(_ sender: Int, _ receivers: PortSet) {
    unreported.insert(receivers & live)
    var rest = receivers
    while let port = rest.takeFirst() { ports[port].card?.receive.publish() }
    ports[sender].card?.transmit.publish()
  }

  // MARK: - Interrupts and kicks

  /// Finds the drivers that are to be interrupted.
  /// - Returns: When to look again although nothing happens; `nil` if never.
  private mutating func raiseInterrupts(_ now: UInt64, _ counters: inout SwitchCounters) -> UInt64? {
    var next: UInt64?
    var rest = live
    while let port = rest.takeFirst() {
      var events = DeviceEvents.none
      if unreported.contains(.port(port)), ports[port].card?.receive.needsInterrupt() == true {
        events.insert(.queue(CardQueue.receive.rawValue))
      }
      if ports[port].card?.tellsSent(now: now) == true { events.insert(.queue(CardQueue.transmit.rawValue)) }
      if let time = ports[port].card?.sentDeadline { next = min(next ?? .max, time) }
      guard !events.isEmpty else { continue }
      counters.ports[port].interrupts &+= UInt64(events.rawValue.nonzeroBitCount)
      ports[port].events.insert(events)
      signalled.insert(.port(port))
    }
    unreported = .none
    return next
  }

  private mutating func turnKicksOff() {
    var rest = live
    while let port = rest.takeFirst() {
      ports[port].card?.receive.disableKicks()
      ports[port].card?.transmit.disableKicks()
    }
  }

  /// Asks for kicks where all was sent. Receivers that somebody waits for were asked when their buffers ran out.
  /// - Returns: Whether something came before it was asked for.
  private mutating func turnKicksOn(_ idle: PortSet) -> Bool {
    var hasMore = false
    var rest = idle
    while let port = rest.takeFirst() {
      if ports[port].card?.transmit.enableKicks() == true { hasMore = true }
    }
    return hasMore
  }
}
