// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// What a virtio function is: all that differs from one type of device to the next (virtio 1.2, §5).
package enum VirtioDevice: Sendable {
  case network(NetworkCard)

  /// The virtio device ID.
  var type: UInt16 {
    switch self {
    case .network: NetworkCard.type
    }
  }

  /// Its class in PCI's terms.
  var classCode: UInt32 {
    switch self {
    case .network: NetworkCard.classCode
    }
  }

  var queueCount: Int {
    switch self {
    case .network: NetworkCard.queueCount
    }
  }

  /// Descriptors of its queues, unless the driver wants fewer: a power of two, at most `DescriptorChain.capacity`.
  static var queueSize: UInt16 { 256 }

  /// The queues that are handed to a server, counted from the first.
  var dataQueueCount: Int {
    switch self {
    case .network: NetworkCard.dataQueueCount
    }
  }

  /// The queue that the function serves by itself.
  var controlQueue: Int? {
    switch self {
    case .network: NetworkCard.controlQueue
    }
  }

  /// The features it offers, without those of all devices.
  var offeredFeatures: VirtioFeatures {
    switch self {
    case .network(let card): card.offeredFeatures
    }
  }

  /// Whether each of `features` has those that it requires.
  func isConsistent(_ features: VirtioFeatures) -> Bool {
    switch self {
    case .network: NetworkCard.isConsistent(features)
    }
  }

  /// Bytes of its configuration, whole dwords.
  var configurationSize: Int {
    switch self {
    case .network: NetworkCard.configurationSize
    }
  }

  /// Byte `offset` of its configuration; zero behind it.
  func configurationByte(_ offset: Int) -> UInt8 {
    switch self {
    case .network(let card): card.configurationByte(offset)
    }
  }

  /// Forgets what the driver set.
  mutating func reset() {
    switch self {
    case .network(var card):
      card.reset()
      self = .network(card)
    }
  }

  /// Adds to `setup` what only this type of device has.
  func fill(_ setup: inout DeviceSetup, _ features: VirtioFeatures) {
    switch self {
    case .network(let card): setup.filter = card.filter(features)
    }
  }
}
