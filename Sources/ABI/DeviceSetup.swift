// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What a guest's driver and its VMM agreed on for a virtio device, as the VMM hands it to the server that moves the
/// data. To the server all of it is a claim.
package struct DeviceSetup: BitwiseCopyable {
  /// The most queues that are handed over.
  package static var queueCapacity: Int { 8 }

  /// Not zero: the driver is ready, and the server may use the queues.
  package var isLive: UInt32 = 0
  /// Queues in `queues`, at most `queueCapacity`.
  package var queueCount: UInt32 = 0
  /// The virtio feature bits that driver and device both have.
  package var features: UInt64 = 0
  package var queues: InlineArray<8, QueueSetup> = InlineArray(repeating: QueueSetup())
  /// What a network card lets in.
  package var filter = ReceiveFilter()
  /// Not zero: a disk's writes may be completed before they are safe from a loss of power. Only what counts if the
  /// driver may choose that.
  package var hasWriteback: UInt32 = 0
  private var reserved: UInt32 = 0
  package init() {}
}

/// Where a split virtqueue is (virtio 1.2, §2.7), in guest addresses.
package struct QueueSetup: BitwiseCopyable, Equatable {
  /// Descriptors: a power of two, at most 32768.
  package var size: UInt16 = 0
  /// Not zero: the driver uses this queue.
  package var isEnabled: UInt16 = 0
  private var reserved: UInt32 = 0
  /// The descriptor table.
  package var descriptors: UInt64 = 0
  /// The available ring, "driver area".
  package var available: UInt64 = 0
  /// The used ring, "device area".
  package var used: UInt64 = 0

  package init(
    size: UInt16 = 0, isEnabled: Bool = false, descriptors: UInt64 = 0, available: UInt64 = 0, used: UInt64 = 0
  ) {
    self.size = size
    self.isEnabled = isEnabled ? 1 : 0
    self.descriptors = descriptors
    self.available = available
    self.used = used
  }
}

/// Which frames a network card passes on to its driver (virtio 1.2, §5.1.6.5.1 and §5.1.6.5.2).
package struct ReceiveFilter: BitwiseCopyable {
  /// The most addresses of `addresses`; a driver that wants more gets all frames.
  package static var capacity: Int { 32 }

  /// Starts with the card's own address and broadcasts.
  package var modes: ReceiveModes = .none
  /// Addresses in `addresses`, of one station or of groups, at most `capacity`.
  package var count: UInt32 = 0
  /// The card's own address, which the driver may change.
  package var own = MACAddress()
  package var addresses: InlineArray<32, MACAddress> = InlineArray(repeating: MACAddress())
  package init() {}
}

/// What a card lets in beside its own frames.
package struct ReceiveModes: Flags, BitwiseCopyable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// All frames.
  package static var promiscuous: Self { .bit(0) }
  /// All multicast frames.
  package static var allMulticast: Self { .bit(1) }
  /// All frames to single stations.
  package static var allUnicast: Self { .bit(2) }
  package static var noMulticast: Self { .bit(3) }
  package static var noUnicast: Self { .bit(4) }
  package static var noBroadcast: Self { .bit(5) }
}

/// What a server tells a VMM about a device.
package struct DeviceEvents: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The driver is to be interrupted for queue `number` (0 to 31).
  package static func queue(_ number: Int) -> Self { .bit(number) }
  /// What the driver reads of the device's configuration has changed.
  package static var configurationChanged: Self { .bit(62) }
  /// The queues cannot be used as they are: the device needs a reset (virtio 1.2, §2.1.2).
  package static var needsReset: Self { .bit(63) }
}

/// How a server describes its device to the VMM, which shows it to the driver.
package struct DeviceDescription: BitwiseCopyable {
  /// A `DeviceState`.
  package var state: UInt32 = 0
  /// Bytes of `configuration` that count.
  package var configurationSize: UInt32 = 0
  /// The virtio feature bits that this type of device offers.
  package var features: UInt64 = 0
  /// The device's configuration space from its first byte on.
  package var configuration: InlineArray<64, UInt8> = InlineArray(repeating: 0)
  package init() {}
}

/// Whether a device can be had.
package enum DeviceState: UInt32, Sendable {
  /// Its server does not know yet.
  case unknown = 0
  case present = 1
  /// There is no such device. This may change as long as the VM has not started.
  case missing = 2
}
