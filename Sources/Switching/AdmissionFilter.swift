// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// Which frames a card passes on to its driver (virtio 1.2, §5.1.6.5.1 and §5.1.6.5.2).
struct AdmissionFilter: ~Copyable {
  private let inPlace = InPlace()
  private let modes: ReceiveModes
  private let own: MACAddress
  /// Of the addresses these count.
  private let count: Int
  private let addresses: InlineArray<32, MACAddress>

  init(_ filter: borrowing ReceiveFilter) {
    modes = filter.modes
    own = filter.own
    count = min(Int(filter.count), ReceiveFilter.capacity)
    addresses = filter.addresses
  }

  /// Whether the card takes a frame to `destination`.
  func admits(_ destination: MACAddress) -> Bool {
    if modes.contains(.promiscuous) { return true }
    if destination == .broadcast { return !modes.contains(.noBroadcast) }
    if destination.isGroup {
      if modes.contains(.noMulticast) { return false }
      return modes.contains(.allMulticast) || lists(destination)
    }
    if modes.contains(.noUnicast) { return false }
    return destination == own || modes.contains(.allUnicast) || lists(destination)
  }

  private func lists(_ address: MACAddress) -> Bool {
    for index in 0..<count where addresses[index] == address { return true }
    return false
  }
}
