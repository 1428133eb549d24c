// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import PCI

extension PCIConfigurationSpace {
  /// Adds the MSI-X capability (PCI Local Bus 3.0, §6.8.2).
  /// - Returns: The offset of message control.
  mutating func addMessageCapability(count: Int) -> UInt8 {
    let offset = reserveCapability(0x11, count: 12)
    set(UInt32(count - 1), at: offset + 2, width: 2)
    allowWrites(0xc000_0000, at: offset)
    let range = UInt32(FunctionLayout.memoryRange)
    set(UInt32(FunctionLayout.messages) | range, at: offset + 4, width: 4)
    set(UInt32(FunctionLayout.pending) | range, at: offset + 8, width: 4)
    return offset + 2
  }

  /// Adds the capabilities that say where virtio's structures are (virtio 1.2, §4.1.4).
  /// - Returns: The offset of the one through which the guest can reach them all.
  mutating func addVirtioCapabilities(_ device: VirtioDevice) -> UInt8 {
    let memory = FunctionLayout.memoryRange
    _ = addStructure(.common, range: memory, at: FunctionLayout.common, count: FunctionLayout.commonSize)
    let notify = addStructure(
      .notify, range: FunctionLayout.portRange, at: 0, count: Int(FunctionLayout.notifyMultiplier) * device.queueCount,
      extra: 4)
    set(FunctionLayout.notifyMultiplier, at: notify + 16, width: 4)
    _ = addStructure(.interruptStatus, range: memory, at: FunctionLayout.interruptStatus, count: 1)
    _ = addStructure(.device, range: memory, at: FunctionLayout.device, count: device.configurationSize)
    let window = addStructure(.window, range: 0, at: 0, count: 0, extra: 4)
    allowWrites(0xff, at: window + 4)
    for field in stride(from: window + 8, through: window + 16, by: 4) { allowWrites(.max, at: field) }
    return window
  }

  private mutating func addStructure(
    _ type: StructureType, range: Int, at place: Int, count: Int, extra: Int = 0
  ) -> UInt8 {
    let offset = reserveCapability(0x09, count: 16 + extra)
    set(UInt32(16 + extra), at: offset + 2, width: 1)
    set(UInt32(type.rawValue), at: offset + 3, width: 1)
    set(UInt32(range), at: offset + 4, width: 1)
    set(UInt32(place), at: offset + 8, width: 4)
    set(UInt32(count), at: offset + 12, width: 4)
    return offset
  }

  /// Adds a capability to a space that has room for it: all of a function's take 112 of the 192 bytes.
  private mutating func reserveCapability(_ identifier: UInt8, count: Int) -> UInt8 {
    guard let offset = addCapability(identifier, count: count) else { preconditionFailure() }
    return offset
  }
}
