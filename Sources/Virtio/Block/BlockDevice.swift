// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// What makes a virtio device a disk (virtio 1.2, §5.2): its features and its configuration, as its server describes
/// them, and the one thing that the driver may set.
///
/// Requests are not its business: all queues belong to the server.
package struct BlockDevice: Sendable {
  /// The virtio device ID (§5.2.1).
  static var type: UInt16 { 2 }
  /// A storage controller with a SCSI-like interface (PCI Code and ID Assignment 1.11, §1.2), as others have it.
  static var classCode: UInt32 { 0x01_0000 }
  /// The most queues.
  package static var queueCapacity: Int { DiskConfiguration.queueCapacity }

  let queueCount: Int
  private var features = VirtioFeatures.none
  private var configuration = InlineArray<64, UInt8>(repeating: 0)
  /// Whether writes may be completed before they are safe, as the driver chose or the server said at first.
  private(set) var hasWriteback = true

  /// A disk of which nothing is known yet.
  /// - Parameter queueCount: 1 to `queueCapacity`; else the next of these.
  package init(queueCount: Int) { self.queueCount = min(max(queueCount, 1), Self.queueCapacity) }

  /// Takes over what the server says; a claim of which only what a disk can offer counts.
  /// - Returns: Whether it differs from what was said before.
  mutating func describe(_ description: DeviceDescription) -> Bool {
    let isMissing = description.state != DeviceState.present.rawValue
    let claimed = VirtioFeatures(rawValue: isMissing ? 0 : description.features)
    var hasChanged = claimed & .blockDevice != features
    features = claimed & .blockDevice
    for index in 0..<Self.configurationSize {
      let byte = isMissing || index >= Int(description.configurationSize) ? 0 : description.configuration[index]
      hasChanged = hasChanged || byte != configuration[index]
      configuration[index] = byte
    }
    return hasChanged
  }

  /// Forgets what the driver set.
  mutating func reset() { hasWriteback = true }

  /// What the disk offers.
  var offeredFeatures: VirtioFeatures {
    var offered = features
    offered.set(.blockQueues, to: queueCount > 1)
    return offered
  }
}

// MARK: - Configuration

extension BlockDevice {
  /// Bytes of the configuration: up to what is said of write zeroes (§5.2.4).
  static var configurationSize: Int { 60 }

  /// The only field that the driver may write: 0 for writes that are safe when they are completed (§5.2.4).
  private static var writeback: Int { 32 }
  private static var queues: Int { 34 }

  /// Byte `offset` of the configuration; zero behind it.
  func configurationByte(_ offset: Int) -> UInt8 {
    switch offset {
    case Self.writeback: hasWriteback ? 1 : 0
    case Self.queues: UInt8(queueCount)
    case Self.queues + 1: 0
    case 0..<Self.configurationSize: configuration[offset]
    default: 0
    }
  }

  /// Writes a byte, if it is one that the driver may write with `features`.
  /// - Returns: Whether the server must be told.
  mutating func writeConfigurationByte(_ value: UInt8, at offset: Int, _ features: VirtioFeatures) -> Bool {
    guard offset == Self.writeback, features.contains(.writeCacheMode), hasWriteback != (value & 1 != 0) else {
      return false
    }
    hasWriteback = value & 1 != 0
    return true
  }
}
