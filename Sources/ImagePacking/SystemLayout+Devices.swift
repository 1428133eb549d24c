// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Description

extension SystemLayout {
  /// The PCI devices of a VM: the kernel gives them to its VMM by their numbers.
  mutating func add(
    _ devices: [ComputerDevice], _ domain: UInt32, _ configuration: inout VMMConfiguration
  ) {
    configuration.passedCount = UInt32(devices.count)
    for (number, device) in devices.enumerated() {
      var record = DeviceRecord(passthrough: device.address, domain: domain, number: UInt16(number))
      if let interrupt = device.interrupt { record.line = UInt32(interrupt) }
      record.isUnprotected = system.allowsUnprotectedDMA ? 1 : 0
      builder.add(record)
    }
  }
}
