// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

/// Where a virtio function shows what (virtio 1.2, §4.1.4).
enum FunctionLayout {
  // Base address register 0, I/O: one 16-bit port for each queue (§4.1.4.4).
  static var portRange: Int           { 0 }
  static var portsSize: UInt32        { 16 }
  static var notifyMultiplier: UInt32 { 2 }

  // Base address register 1, memory.
  static var memoryRange: Int         { 1 }
  static var memorySize: UInt32       { 4096 }
  static var common: Int              { 0x000 }   // §4.1.4.3
  static var commonSize: Int          { 56 }      // without queue_notify_data and what follows: not offered
  static var interruptStatus: Int     { 0x200 }   // §4.1.4.5, one byte
  static var device: Int              { 0x400 }   // §4.1.4.6
  static var deviceLimit: Int         { 0x800 }
  static var messages: Int            { 0x800 }   // the MSI-X table
  static var pending: Int             { 0xc00 }   // its pending bits
}

/// What a vendor-specific capability describes: its cfg_type (§4.1.4).
enum StructureType: UInt8 {
  case common = 1                                 // VIRTIO_PCI_CAP_COMMON_CFG
  case notify = 2                                 // VIRTIO_PCI_CAP_NOTIFY_CFG
  case interruptStatus = 3                        // VIRTIO_PCI_CAP_ISR_CFG
  case device = 4                                 // VIRTIO_PCI_CAP_DEVICE_CFG
  case window = 5                                 // VIRTIO_PCI_CAP_PCI_CFG
}

/// The registers of the common configuration by their offset (§4.1.4.3); of 64-bit ones each half for itself.
enum CommonRegister: Int {
  case deviceFeatureSelect = 0
  case deviceFeature = 4
  case driverFeatureSelect = 8
  case driverFeature = 12
  case configurationVector = 16
  case queueCount = 18
  case status = 20
  case generation = 21
  case queueSelect = 22
  case queueSize = 24
  case queueVector = 26
  case queueEnable = 28
  case queueNotifyOffset = 30
  case descriptorsLow = 32
  case descriptorsHigh = 36
  case availableLow = 40
  case availableHigh = 44
  case usedLow = 48
  case usedHigh = 52

  /// Its size in bytes.
  var width: Int {
    switch self {
    case .status, .generation: 1
    case .configurationVector, .queueCount, .queueSelect, .queueSize, .queueVector, .queueEnable,
         .queueNotifyOffset: 2
    default: 4
    }
  }

  /// The register that has byte `offset`.
  init?(containing offset: Int) {
    for start in stride(from: offset, through: max(offset - 3, 0), by: -1) {
      if let register = CommonRegister(rawValue: start), offset < start + register.width {
        self = register
        return
      }
    }
    return nil
  }
}

/// How far the driver has come (§2.1).
struct DeviceStatus: Flags {
  let rawValue: UInt8
  static var acknowledge: Self        { .bit(0) } // ACKNOWLEDGE         the guest has found the device
  static var driver: Self             { .bit(1) } // DRIVER              and knows how to drive it
  static var driverOK: Self           { .bit(2) } // DRIVER_OK           the driver is ready
  static var featuresOK: Self         { .bit(3) } // FEATURES_OK         the features are agreed on
  static var needsReset: Self         { .bit(6) } // DEVICE_NEEDS_RESET  the device cannot go on
  static var failed: Self             { .bit(7) } // FAILED              the driver has given up
}

/// Why the function interrupts, as the ISR status says (§4.1.4.5).
struct InterruptCauses: Flags {
  let rawValue: UInt8
  static var queue: Self              { .bit(0) }
  static var configuration: Self      { .bit(1) }
}
