// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// A line of the table of `@n`: a port of a switch.
struct NetworkPlace {
  var network = 0
  var port = 0
}

extension Console {
  private var switches: Int { min(Int(configuration.switchCount), SwitchConfiguration.capacity) }

  // MARK: - The table

  mutating func startNetworkTable() {
    guard switches > 0 else { return screen.say("there is no switch: VMs reach each other by no network") }
    networkPlace = NetworkPlace()
    continueNetworkTable()
  }

  /// Shows as many ports as there is room for: all at once, unless switches claim to have more than anybody described.
  mutating func continueNetworkTable() {
    while let place = networkPlace, screen.queue.space >= Self.answerRoom {
      guard place.network < switches else {
        networkPlace = nil
        return
      }
      let counters = host.counters(ofSwitch: place.network)
      if place.port == 0 { showHeading(ofSwitch: place.network, counters) }
      guard place.port < counters.usedPorts else {
        networkPlace = NetworkPlace(network: place.network + 1)
        continue
      }
      showPort(counters.ports[place.port], width: NetworkTable.nameWidth(counters))
      networkPlace?.port += 1
    }
  }

  private mutating func showHeading(ofSwitch number: Int, _ counters: SwitchCounters) {
    let status = host.status(of: configuration.domain(ofSwitch: number))
    screen.say(NetworkTable.heading(status, ports: counters.usedPorts))
    if counters.usedPorts > 0 { screen.say(NetworkTable.header(width: NetworkTable.nameWidth(counters))) }
  }

  private mutating func showPort(_ port: PortCounters, width: Int) {
    screen.say(NetworkTable.row(port, width: width))
    for index in port.refused.indices where port.refused[index] > 0 {
      guard let reason = RefusalReason(rawValue: index) else { continue }
      screen.say("    frames from it dropped: \(port.refused[index]) (\(reason.words))")
    }
    for index in port.lost.indices where port.lost[index] > 0 {
      guard let reason = LossReason(rawValue: index) else { continue }
      screen.say("    frames for it dropped: \(port.lost[index]) (\(reason.words))")
    }
  }

  // MARK: - For programs

  mutating func showPorts(of index: Int) {
    let machine = configuration.machines[index].name
    var shown = 0
    for number in 0..<switches {
      let counters = host.counters(ofSwitch: number)
      let status = host.status(of: configuration.domain(ofSwitch: number))
      // No VM has more ports than devices, whatever a switch claims.
      for port in 0..<counters.usedPorts where shown < VMMConfiguration.deviceCapacity {
        guard counters.ports[port].machine == machine else { continue }
        show(counters.ports[port], of: status)
        shown += 1
      }
    }
    screen.say("NET \(machine) ports=\(shown)")
  }

  private mutating func show(_ port: PortCounters, of network: DomainStatus) {
    let subject: LogLine = "NET switch=\(network.name) port=\(port.machine).eth\(port.card)"
    say(subject, fields: PortField.count) { PortField.field($0, of: port, starts: network.starts) }
  }
}

extension SwitchCounters {
  /// Ports that it says to have, as far as there can be.
  var usedPorts: Int { min(Int(portCount), SwitchConfiguration.portCapacity) }
}
