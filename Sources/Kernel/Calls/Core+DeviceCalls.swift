// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import Firmware

/// System calls about a guest's PCI devices; the first argument is the device's number.
extension Core {
  func callDevice(
    _ call: SystemCall, _ arguments: Arguments, from index: Int, _ kernel: Kernel
  ) throws(Status) -> UInt64 {
    let device = try kernel.passedDevice(arguments.first, of: index)
    let second = arguments.second
    switch call {
    case .readConfiguration: return try read(device, at: second, width: arguments.third, kernel)
    case .writeConfiguration:
      guard second < 256, second & 1 == 0, let place = kernel.passed[device].place else { throw .badArgument }
      place.function.writeDelegated(
        UInt16(truncatingIfNeeded: arguments.third), at: Int(second), in: kernel.access)
    case .mapDevice:
      guard second < 6 else { throw .badArgument }
      try kernel.map(Int(second), of: device, at: arguments.third == 0 ? nil : arguments.third)
    case .selectInterrupts:
      guard let delivery = PassedDelivery(rawValue: second) else { throw .badArgument }
      try kernel.select(delivery, of: device)
    case .setMessage: try kernel.setMessage(second, of: device, isOpen: arguments.third == 1)
    case .resetDevice: return try kernel.advanceReset(of: device) ?? 0
    default: throw .unknownCall
    }
    return 0
  }

  private func read(_ device: Int, at offset: UInt64, width: UInt64, _ kernel: Kernel) throws(Status) -> UInt64 {
    guard width == 1 || width == 2 || width == 4, offset.isAligned(to: width), offset <= 256 - width,
      let place = kernel.passed[device].place
    else { throw .badArgument }
    return UInt64(kernel.access.read(place.function.address, Int(offset), width: Int(width)))
  }
}

extension Kernel {
  /// Whether the ports are those of a device that the domain's guest has.
  func ownsPorts(_ port: UInt64, width: UInt64, _ domain: Int) -> Bool {
    for index in 0..<passed.count where passed[index].owner == domain {
      guard let place = passed[index].place else { continue }
      for range in 0..<6 {
        let base = place.function.ranges[range]
        if base.kind == .io, port >= base.address, fits(port - base.address, count: width, in: base.size) {
          return true
        }
      }
    }
    return false
  }
}
