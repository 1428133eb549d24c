// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Virtio

/// What became of a frame that a VM sent.
enum Step {
  /// It is dealt with; what that cost.
  case done(cost: Int)
  /// It stays where it is until its receiver has buffers, or until this time.
  case waits(until: UInt64)
}

/// Where a frame goes.
private enum Route {
  case to(PortSet)
  case nowhere(RefusalReason)
}

extension Switch {
  /// Deals with the frame in `bench.sent`.
  /// - Parameters:
  ///   - driver: The sender's memory, and what its driver accepted.
  ///   - touched: Gains the ports whose receive queues are to be published.
  mutating func forward(
    from sender: Int, _ driver: (memory: GuestMemory, features: VirtioFeatures), now: UInt64,
    _ touched: inout PortSet, _ counters: inout SwitchCounters
  ) -> Step {
    guard let frame = readFrame(driver.memory, driver.features) else {
      return refuse(.malformed, &counters.ports[sender])
    }
    guard ports[sender].permits(source: frame.source) else { return refuse(.spoofed, &counters.ports[sender]) }
    guard let vlan = ports[sender].vlans.vlan(ofTag: frame.tag) else { return refuse(.vlan, &counters.ports[sender]) }
    table.learn(frame.source, vlan: vlan, port: sender, now: now)
    switch route(to: frame.destination, vlan, from: sender, now) {
    case .nowhere(let reason): return refuse(reason, &counters.ports[sender])
    case .to(let receivers):
      let delivery = Shipment(frame: frame, vlan: vlan, sender: sender, memory: driver.memory, receivers: receivers)
      return send(delivery, now: now, &touched, &counters)
    }
  }

  /// `nil` if it is malformed.
  private mutating func readFrame(_ memory: GuestMemory, _ features: VirtioFeatures) -> Frame? {
    let length = bench.sent.readableCount
    do throws(QueueError) { try bench.head.take(from: bench.sent, in: memory) } catch { return nil }
    return bench.head.withBytes { Frame($0, chainLength: length, features: features) }
  }

  private func refuse(_ reason: RefusalReason, _ counters: inout PortCounters) -> Step {
    counters.refused[reason.rawValue] &+= 1
    return .done(cost: Self.frameCost)
  }

  /// A station that is known is on its port; what is for all, for many or for an unknown station goes to all ports of
  /// the VLAN that are up (IEEE 802.1Q, §8.6.3).
  private func route(to destination: MACAddress, _ vlan: UInt16, from sender: Int, _ now: UInt64) -> Route {
    if !destination.isGroup, let port = table.port(of: destination, vlan: vlan, now: now) {
      return port == sender ? .nowhere(.local) : .to(.port(port))
    }
    var others = live
    others.remove(.port(sender))
    let members = others.filter { ports[$0].vlans.has(vlan) }
    return members.isEmpty ? .nowhere(.noReceiver) : .to(members)
  }
}

/// A frame on its way to some ports.
private struct Shipment {
  let frame: Frame
  let vlan: UInt16
  let sender: Int
  let memory: GuestMemory
  let receivers: PortSet
}

extension Switch {
  /// Gives a frame to its receivers. Only a frame to one station that just one port wants may wait; then nothing is
  /// counted, since it will be sent again.
  private mutating func send(
    _ shipment: Shipment, now: UInt64, _ touched: inout PortSet, _ counters: inout SwitchCounters
  ) -> Step {
    let wanting = shipment.receivers.filter { ports[$0].objection(to: shipment.frame.destination) == nil }
    let mayWait = wanting.isSingle && !shipment.frame.destination.isGroup
    var cost = Self.frameCost
    var rest = wanting
    while let port = rest.takeFirst() {
      touched.insert(.port(port))
      let result = give(shipment, to: port, mayWait: mayWait, now: now, &counters)
      if case .waits = result { return .waits(until: (ports[port].starvedSince ?? now) &+ Self.patience) }
      cost += shipment.frame.length
      count(result, for: port, from: shipment.sender, &counters)
    }
    rest = shipment.receivers
    rest.remove(wanting)
    while let port = rest.takeFirst() {
      let reason = ports[port].objection(to: shipment.frame.destination) ?? .filtered
      count(.lost(reason), for: port, from: shipment.sender, &counters)
    }
    counters.ports[shipment.sender].forwarded &+= 1
    return .done(cost: cost)
  }

  private mutating func give(
    _ shipment: Shipment, to port: Int, mayWait: Bool, now: UInt64, _ counters: inout SwitchCounters
  ) -> Delivery {
    let frame = shipment.frame
    let isPatient = ports[port].starvedSince.map { now &- $0 < Self.patience } ?? true
    let tag = ports[port].vlans.tag(for: shipment.vlan, cameWith: frame.tag, innerType: frame.type)
    let parcel = Parcel(frame: frame, memory: shipment.memory, tag: tag, waits: mayWait && isPatient)
    var done = mayWait ? ports[shipment.sender].segmentsGiven : 0
    do throws(QueueError) {
      let result = try ports[port].card?.give(parcel, on: &bench, done: &done) ?? .lost(.down)
      if case .delivered = result { ports[port].starvedSince = nil }
      if case .waits = result {
        ports[port].starvedSince = ports[port].starvedSince ?? now
        ports[shipment.sender].segmentsGiven = done
      }
      return result
    } catch {
      fail(port, CardError(queue: .receive, reason: error), &counters)
      return .lost(.down)
    }
  }

  private func count(_ result: Delivery, for port: Int, from sender: Int, _ counters: inout SwitchCounters) {
    counters.ports[sender].copies &+= 1
    switch result {
    case .delivered(let bytes):
      counters.ports[port].delivered &+= 1
      counters.ports[port].deliveredBytes &+= UInt64(bytes)
    case .lost(let reason): counters.ports[port].lost[reason.rawValue] &+= 1
    // A frame that waits is counted when it no longer does.
    case .waits: break
    }
  }
}
