// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with the address of a network card.
package enum AddressProblem: Equatable, Sendable {
  case malformed(String)
  case group(String)
  case zero(String)
  /// `owner` has the address too, as in "eth0 of VM 'vm0'".
  case repeated(String, owner: String, firstLine: Int)

  var message: String {
    switch self {
    case .malformed(let text):
      "\(quoted: text) is not a MAC address; write six pairs of hexadecimal digits, like 02:00:00:00:aa:01"
    case .group(let text):
      "\(quoted: text) is a multicast address, which no card can have; make its first pair even, "
        + "like 02:00:00:00:aa:01"
    case .zero(let text):
      "\(quoted: text) is nobody's address; write another, like 02:00:00:00:aa:01, or leave 'mac' out"
    case .repeated(let address, let owner, let line):
      "\(address) is already the address of \(owner) in line \(line); give each card its own, or leave 'mac' out"
    }
  }
}
