// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Virtio

/// A port of a switch: the rules for it, and the card on it while a driver uses that.
struct Port: ~Copyable {
  /// The VM whose card it is, and the card's number there.
  let machine: ShortName
  let cardNumber: UInt32
  let vlans: VLANRules
  var limit: RateLimit
  /// The one source address that is allowed; `nil` if any is.
  private let onlySource: MACAddress?

  /// `nil` while no driver uses the card, or after the driver broke the rules.
  var card: Card? = nil
  /// Since when a frame, or one after the other, waits for receive buffers here; `nil` after a frame got some.
  var starvedSince: UInt64? = nil
  /// Segments that the receiver has of the long frame that waits to be sent.
  var segmentsGiven = 0
  /// What the VMM is to be told.
  var events: DeviceEvents = .none
  /// Why the card was shut down.
  var failure: CardError? = nil

  init(_ configuration: borrowing PortConfiguration) {
    machine = configuration.machine
    cardNumber = configuration.card
    vlans = VLANRules(configuration)
    limit = RateLimit(bitsPerSecond: configuration.rate)
    onlySource = configuration.refusesForeignSource == 0 ? nil : configuration.address
  }

  /// Whether the VM may send with this source address. No station has a group's (IEEE 802.3, §3.2.3).
  func permits(source: MACAddress) -> Bool {
    !source.isGroup && (onlySource == nil || source == onlySource)
  }

  /// Why the card has no use for a frame to `destination`; `nil` if it wants it.
  func objection(to destination: MACAddress) -> LossReason? {
    switch card {
    case .none: return .down
    case .some(let card): return card.filter.admits(destination) ? nil : .filtered
    }
  }

  /// The memory of the VM, and what its driver accepted; `nil` while it does not use the card.
  var driver: (memory: GuestMemory, features: VirtioFeatures)? {
    switch card {
    case .none: return nil
    case .some(let card): return (card.transmit.memory, card.features)
    }
  }
}
