// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import PCI

/// The common configuration (virtio 1.2, §4.1.4.3).
extension VirtioFunction {
  /// What the function offers: §6 wants VERSION_1 to be among it.
  var offeredFeatures: VirtioFeatures {
    device.offeredFeatures | .version1 | .ringIndirect | .ringEventIndex
  }

  /// Byte `offset` of the common configuration.
  func readCommonByte(_ offset: Int) -> UInt8 {
    guard let register = CommonRegister(containing: offset) else { return 0 }
    return UInt8(truncatingIfNeeded: read(register) >> UInt32(8 * (offset - register.rawValue)))
  }

  private func read(_ register: CommonRegister) -> UInt32 {
    switch register {
    case .deviceFeatureSelect: deviceFeatureSelect
    case .deviceFeature: Self.half(deviceFeatureSelect, of: offeredFeatures.rawValue)
    case .driverFeatureSelect: driverFeatureSelect
    case .driverFeature: Self.half(driverFeatureSelect, of: driverFeatures.rawValue)
    case .configurationVector: UInt32(configurationVector)
    case .queueCount: UInt32(device.queueCount)
    case .status: UInt32(status.isEmpty && isResetting ? statusBeforeReset.rawValue : status.rawValue)
    case .generation: UInt32(generation)
    case .queueSelect: UInt32(queueSelect)
    default: selectedQueue.map { read(register, of: queues[$0], index: $0) } ?? 0
    }
  }

  /// A register of the queue that is selected; without such a queue all of them are zero.
  private func read(_ register: CommonRegister, of queue: Queue, index: Int) -> UInt32 {
    switch register {
    case .queueSize: UInt32(queue.setup.size)
    case .queueVector: UInt32(queue.vector)
    case .queueEnable: UInt32(queue.setup.isEnabled)
    case .queueNotifyOffset: UInt32(index)
    case .descriptorsLow: Self.half(0, of: queue.setup.descriptors)
    case .descriptorsHigh: Self.half(1, of: queue.setup.descriptors)
    case .availableLow: Self.half(0, of: queue.setup.available)
    case .availableHigh: Self.half(1, of: queue.setup.available)
    case .usedLow: Self.half(0, of: queue.setup.used)
    case .usedHigh: Self.half(1, of: queue.setup.used)
    default: 0
    }
  }

  private var selectedQueue: Int? { Int(queueSelect) < device.queueCount ? Int(queueSelect) : nil }

  /// Writes a register as a whole; those that are the device's stay as they are.
  mutating func write(_ value: UInt32, to register: CommonRegister) {
    switch register {
    case .deviceFeatureSelect: deviceFeatureSelect = value
    case .driverFeatureSelect: driverFeatureSelect = value
    case .driverFeature: accept(value)
    case .configurationVector: configurationVector = vector(value)
    case .status: writeStatus(DeviceStatus(rawValue: UInt8(truncatingIfNeeded: value)))
    case .queueSelect: queueSelect = UInt16(truncatingIfNeeded: value)
    case .deviceFeature, .queueCount, .generation, .queueNotifyOffset: break
    default:
      guard let selectedQueue else { return }
      write(value, to: register, ofQueue: selectedQueue)
    }
  }

  private mutating func write(_ value: UInt32, to register: CommonRegister, ofQueue index: Int) {
    if register == .queueVector {
      queues[index].vector = vector(value)
      return
    }
    // All else is to be set before the queue is enabled, and stays until the reset (§4.1.4.3.2).
    guard queues[index].setup.isEnabled == 0 else { return }
    switch register {
    case .queueSize:
      let size = UInt16(truncatingIfNeeded: value)
      guard size.nonzeroBitCount == 1, size <= VirtioDevice.queueSize else { return }
      queues[index].setup.size = size
    case .queueEnable:
      guard value == 1 else { return }
      queues[index].setup.isEnabled = 1
      if isLive { events.insert(.setupChanged) }
    case .descriptorsLow: Self.setHalf(0, of: &queues[index].setup.descriptors, to: value)
    case .descriptorsHigh: Self.setHalf(1, of: &queues[index].setup.descriptors, to: value)
    case .availableLow: Self.setHalf(0, of: &queues[index].setup.available, to: value)
    case .availableHigh: Self.setHalf(1, of: &queues[index].setup.available, to: value)
    case .usedLow: Self.setHalf(0, of: &queues[index].setup.used, to: value)
    case .usedHigh: Self.setHalf(1, of: &queues[index].setup.used, to: value)
    default: break
    }
  }

  /// A vector that is not in the table maps to none (§4.1.5.1.2.1).
  private func vector(_ value: UInt32) -> UInt16 {
    Int(value) < messages.count ? UInt16(truncatingIfNeeded: value) : Self.noVector
  }

  /// The low (0) or high (1) dword; what lies beyond is zero.
  private static func half(_ index: UInt32, of value: UInt64) -> UInt32 {
    index < 2 ? UInt32(truncatingIfNeeded: value >> UInt64(32 * index)) : 0
  }

  private static func setHalf(_ index: UInt64, of value: inout UInt64, to half: UInt32) {
    value = value & ~(0xffff_ffff << (32 * index)) | UInt64(half) << (32 * index)
  }
}

// MARK: - Features and status

extension VirtioFunction {
  /// The driver accepts 32 features; after FEATURES_OK it can no longer (§3.1.1).
  private mutating func accept(_ value: UInt32) {
    guard !status.contains(.featuresOK) else { return }
    guard driverFeatureSelect < 2 else {
      acceptsUnknownFeatures = acceptsUnknownFeatures || value != 0
      return
    }
    var all = driverFeatures.rawValue
    Self.setHalf(UInt64(driverFeatureSelect), of: &all, to: value)
    driverFeatures = VirtioFeatures(rawValue: all)
  }

  /// Whether the device can work with what the driver accepted (§2.2.2).
  private var canAgree: Bool {
    !acceptsUnknownFeatures && offeredFeatures.contains(driverFeatures) && driverFeatures.contains(.version1)
      && device.isConsistent(driverFeatures)
  }

  /// The driver sets bits, or resets the device with a zero; it cannot clear single bits (§2.1.1).
  private mutating func writeStatus(_ new: DeviceStatus) {
    guard !new.isEmpty else {
      reset()
      return
    }
    let wasLive = isLive
    status.insert(new & (.acknowledge | .driver | .failed))
    if new.contains(.featuresOK), canAgree { status.insert(.featuresOK) }
    if new.contains(.driverOK), status.contains(.featuresOK) { status.insert(.driverOK) }
    if isLive { isHandedOver = true }
    if isLive != wasLive { events.insert(.setupChanged) }
  }

  /// Begins a reset, which is done at once if no server has the queues.
  private mutating func reset() {
    if isHandedOver, !isResetting {
      isResetting = true
      statusBeforeReset = status
      events.insert(.setupChanged)
    }
    status = .none
    driverFeatures = .none
    acceptsUnknownFeatures = false
    deviceFeatureSelect = 0
    driverFeatureSelect = 0
    queueSelect = 0
    queues = InlineArray(repeating: Queue())
    configurationVector = Self.noVector
    hasNewConfiguration = true
    causes = .none
    messages.withdrawAll()
    control = nil
    events.remove(.kicks)
    device.reset()
  }
}
