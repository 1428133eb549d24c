// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with the PCI devices of VMs.
package enum DeviceProblem: Equatable, Sendable {
  case tooMany(machine: String, count: Int)
  case badAddress(String)
  /// `owner` has the device too, as in "VM 'vm0'".
  case repeated(String, owner: String, firstLine: Int)

  var message: String {
    switch self {
    case .tooMany(let machine, let count):
      "VM \(quoted: machine) has \(count) devices, but \(Limits.devices) are the most; remove \(count - Limits.devices)"
    case .badAddress(let text):
      "\(quoted: text) is not the address of a PCI device; write bus, device and function as lspci prints them, "
        + "like 66:00.0"
    case .repeated(let address, let owner, let line):
      "device \(address) is given to \(owner) in line \(line) already; a device can have one owner, so remove one of "
        + "the two"
    }
  }
}
