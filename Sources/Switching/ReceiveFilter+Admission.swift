// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

extension ReceiveFilter {
  /// Whether the card passes a frame to `destination` on to its driver (virtio 1.2, §5.1.6.5.1 and §5.1.6.5.2).
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
    for index in 0..<min(Int(count), Self.capacity) where addresses[index] == address { return true }
    return false
  }
}
