// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
package import Bits
import Virtio

// What a switch does with frames, its policies and what it counts: Documentation/networking.md.
//
// It keeps nothing that its clients could miss. The queues are in the memory of the guests, and between two calls of
// `serve` all that happened is written there; what stations are where is learned again. So a switch that was lost is
// replaced by a new one to which the same cards are attached.

/// A learning Ethernet switch between the virtio network cards of several VMs (IEEE 802.1Q).
///
/// It is large: keep it in one place.
package struct Switch: ~Copyable {
  /// Nanoseconds that a frame to one station waits for buffers of a receiver that takes nothing.
  ///
  /// After that, frames for it are dropped at once, until it has taken one. Frames to many never wait.
  package static var patience: UInt64 { 10_000_000 }

  let portCount: Int
  var ports: InlineArray<16, Port>
  var table: MACTable
  var bench = Workbench()
  /// Ports whose cards are in use.
  var live: PortSet = .none
  /// Ports whose drivers may wait for an interrupt for what they got.
  var unreported: PortSet = .none
  /// Ports with events for their VMMs, and those that failed since this was last told.
  var signalled: PortSet = .none
  var failed: PortSet = .none
  /// The port that is served first, so that each is in turn.
  var first = 0

  /// A switch without a card in use.
  /// - Parameter counters: The page of the switch, which keeps what an earlier life counted.
  package init(_ configuration: borrowing SwitchConfiguration, counters: inout SwitchCounters) {
    portCount = min(Int(configuration.portCount), SwitchConfiguration.portCapacity)
    table = MACTable(lifetime: UInt64(configuration.ageing) * 1_000_000_000)
    ports = InlineArray { _ in Port(PortConfiguration()) }
    counters.name = configuration.name
    counters.portCount = UInt32(portCount)
    counters.starts &+= 1
    for index in 0..<portCount {
      ports[index] = Port(configuration.ports[index])
      counters.ports[index].machine = configuration.ports[index].machine
      counters.ports[index].card = configuration.ports[index].card
      counters.ports[index].state = PortState.down.rawValue
    }
  }

  // MARK: - Cards

  /// Uses the card on `port` as its VMM says, from where its queues are; an earlier setup is no longer used.
  ///
  /// If the setup cannot be used the port has failed, which the next `serve` reports.
  /// - Parameter memory: The VM's memory.
  package mutating func attach(
    _ setup: borrowing DeviceSetup, to port: Int, memory: GuestMemory, counters: inout SwitchCounters
  ) {
    detach(port, counters: &counters)
    guard setup.isLive != 0, Card.usesQueues(setup) else { return }
    do throws(CardError) {
      ports[port].card = try Card(setup, memory: memory)
      live.insert(.port(port))
      unreported.insert(.port(port))
      counters.ports[port].state = PortState.up.rawValue
    } catch { fail(port, error, &counters) }
  }

  /// Stops using the card on `port`: its VMM resets it. Its memory is not touched any more.
  package mutating func detach(_ port: Int, counters: inout SwitchCounters) {
    precondition(port < portCount)
    close(port)
    ports[port].events = .none
    ports[port].failure = nil
    signalled.remove(.port(port))
    failed.remove(.port(port))
    counters.ports[port].state = PortState.down.rawValue
  }

  /// Shuts a card down whose driver broke the rules; the others do not notice.
  mutating func fail(_ port: Int, _ error: CardError, _ counters: inout SwitchCounters) {
    close(port)
    ports[port].failure = error
    ports[port].events = .needsReset
    signalled.insert(.port(port))
    failed.insert(.port(port))
    counters.ports[port].state = PortState.failed.rawValue
  }

  private mutating func close(_ port: Int) {
    ports[port].card = nil
    ports[port].starvedSince = nil
    ports[port].segmentsGiven = 0
    live.remove(.port(port))
    unreported.remove(.port(port))
  }

  // MARK: - What the caller passes on

  /// Takes what the VMM of the card on `port` is to be told.
  package mutating func takeEvents(of port: Int) -> DeviceEvents {
    let events = ports[port].events
    ports[port].events = .none
    signalled.remove(.port(port))
    return events
  }

  /// Why the card on `port` was shut down, for people.
  package func report(of port: Int) -> LogLine {
    var line: LogLine = "\(ports[port].machine): card \(ports[port].cardNumber)"
    guard let failure = ports[port].failure else { return line }
    line.append(" is shut down: ")
    line.append(failure.queue.name)
    line.append(": ")
    line.append(failure.reason.sentence)
    return line
  }

  /// That the card on `port` was shut down `count` times of which nothing was said.
  package func report(of port: Int, times count: UInt32) -> LogLine {
    "\(ports[port].machine): card \(ports[port].cardNumber) was shut down \(count) times since it was last reported"
  }
}
