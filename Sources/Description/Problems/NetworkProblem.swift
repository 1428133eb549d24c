// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with switches and network cards.
package enum NetworkProblem: Equatable, Sendable {
  case tooManySwitches(count: Int)
  case sameNameAsMachine(String, machineLine: Int)
  case tooManyCards(machine: String, count: Int)
  case tooManyPorts(String)
  case unknownSwitch(String, nearest: String?, known: [String])
  case emptyTrunk
  case repeatedVLAN(Int)
  case badRate(String)
  case rateOutOfRange(String)

  var message: String {
    switch self {
    case .tooManySwitches(let count):
      "there are \(count) switches, but \(Limits.switches) are the most; remove \(count - Limits.switches)"
    case .sameNameAsMachine(let name, let line):
      "\(quoted: name) is also the name of the VM in line \(line); rename one of the two"
    case .tooManyCards(let machine, let count):
      "VM \(quoted: machine) has \(count) network cards, but \(Limits.cards) are the most; "
        + "remove \(count - Limits.cards)"
    case .tooManyPorts(let name):
      "switch \(quoted: name) has no port left for this card, since \(Limits.ports) are the most; use another switch"
    case .unknownSwitch(let name, let nearest?, _): "there is no switch \(quoted: name); did you mean '\(nearest)'?"
    case .unknownSwitch(let name, nil, let known): unknown(name, known)
    case .emptyTrunk: "this trunk has no VLAN; list some, like `trunk: [10, 20-29]`, or leave 'trunk' out"
    case .repeatedVLAN(let vlan): "VLAN \(vlan) is in this list already; write each VLAN once"
    case .badRate(let text):
      "\(quoted: text) is not a rate; write a whole number and kbit/s, Mbit/s or Gbit/s, like `100 Mbit/s`"
    case .rateOutOfRange(let text):
      "\(quoted: text) cannot be kept to; give from 1 kbit/s to 1000 Gbit/s, or leave 'rate' out for no limit"
    }
  }

  private func unknown(_ name: String, _ known: [String]) -> String {
    guard !known.isEmpty else {
      return "there is no switch \(quoted: name); describe it at the top, like `switches: { lan: {} }`"
    }
    let names = Problem.list(known.map { "'\($0)'" }, last: "and")
    return "there is no switch \(quoted: name); "
      + (known.count == 1 ? "the only one is \(names)" : "the switches are \(names)")
  }
}
