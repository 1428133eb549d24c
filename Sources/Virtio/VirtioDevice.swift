// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// What a virtio function is: all that differs from one type of device to the next (virtio 1.2, §5).
package enum VirtioDevice: Sendable {
  case network(NetworkCard)
  case block(BlockDevice)

  /// The virtio device ID.
  var type: UInt16 {
    switch self {
    case .network: NetworkCard.type
    case .block: BlockDevice.type
    }
  }

  /// Its class in PCI's terms.
  var classCode: UInt32 {
    switch self {
    case .network: NetworkCard.classCode
    case .block: BlockDevice.classCode
    }
  }

  var queueCount: Int {
    switch self {
    case .network: NetworkCard.queueCount
    case .block(let disk): disk.queueCount
    }
  }

  /// Descriptors of its queues, unless the driver wants fewer: a power of two, at most `DescriptorChain.capacity`.
  static var queueSize: UInt16 { 256 }

  /// The queues that are handed to a server, counted from the first.
  var dataQueueCount: Int {
    switch self {
    case .network: NetworkCard.dataQueueCount
    case .block(let disk): disk.queueCount
    }
  }

  /// The queue that the function serves by itself.
  var controlQueue: Int? {
    switch self {
    case .network: NetworkCard.controlQueue
    case .block: nil
    }
  }

  /// The features it offers, without those of all devices.
  var offeredFeatures: VirtioFeatures {
    switch self {
    case .network(let card): card.offeredFeatures
    case .block(let disk): disk.offeredFeatures
    }
  }

  /// Whether each of `features` has those that it requires.
  func isConsistent(_ features: VirtioFeatures) -> Bool {
    switch self {
    case .network: NetworkCard.isConsistent(features)
    case .block: true
    }
  }

  /// Bytes of its configuration, whole dwords.
  var configurationSize: Int {
    switch self {
    case .network: NetworkCard.configurationSize
    case .block: BlockDevice.configurationSize
    }
  }

  /// Byte `offset` of its configuration; zero behind it.
  func configurationByte(_ offset: Int) -> UInt8 {
    switch self {
    case .network(let card): card.configurationByte(offset)
    case .block(let disk): disk.configurationByte(offset)
    }
  }

  /// Forgets what the driver set.
  mutating func reset() {
    switch self {
    case .network(var card):
      card.reset()
      self = .network(card)
    case .block(var disk):
      disk.reset()
      self = .block(disk)
    }
  }

  /// Adds to `setup` what only this type of device has.
  func fill(_ setup: inout DeviceSetup, _ features: VirtioFeatures) {
    switch self {
    case .network(let card): setup.filter = card.filter(features)
    case .block(let disk): setup.hasWriteback = disk.hasWriteback ? 1 : 0
    }
  }

  /// The driver, with whom `features` were agreed on, writes byte `offset` of the configuration.
  /// - Returns: Whether the server must be told.
  mutating func writeConfigurationByte(_ value: UInt8, at offset: Int, _ features: VirtioFeatures) -> Bool {
    // No field of a network card is the driver's to write (virtio 1.2, §5.1.4).
    guard case .block(var disk) = self else { return false }
    let hasChanged = disk.writeConfigurationByte(value, at: offset, features)
    self = .block(disk)
    return hasChanged
  }
}
