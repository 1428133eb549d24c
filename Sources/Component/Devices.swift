// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
import CX86

/// What a VMM may ask of the kernel for device `number` of its guest.
extension Kernel {
  /// Reads `width` bytes (1, 2 or 4) of configuration space at `offset`, a multiple of the width below 256.
  package static func readConfiguration(_ number: Int, _ offset: Int, width: Int) -> UInt32 {
    let answer = call(.readConfiguration, UInt64(number), UInt64(offset), UInt64(width))
    return answer.status == Status.ok.rawValue ? UInt32(truncatingIfNeeded: answer.value) : .max
  }

  /// Writes a 16-bit register of configuration space; bits that are not the device's own affair stay as they are.
  package static func writeConfiguration(_ number: Int, _ offset: Int, _ value: UInt16) {
    _ = call(.writeConfiguration, UInt64(number), UInt64(offset), UInt64(value))
  }

  /// Puts a memory range where the guest wants it, or takes it away.
  /// - Throws: `badArgument` if that is outside `PassedDevice.window`.
  package static func mapDevice(_ number: Int, range: Int, at address: UInt64?) throws(Status) {
    try check(
      call(.mapDevice, UInt64(number), UInt64(range), address ?? 0))
  }

  /// Lets the device send interrupts as `delivery` says, and no others.
  package static func selectInterrupts(_ number: Int, _ delivery: PassedDelivery) throws(Status) {
    try check(call(.selectInterrupts, UInt64(number), delivery.rawValue, 0))
  }

  /// Lets a message of the device's table through, or masks it.
  package static func setMessage(_ number: Int, _ vector: Int, isOpen: Bool) throws(Status) {
    try check(
      call(.setMessage, UInt64(number), UInt64(vector), isOpen ? 1 : 0))
  }

  /// Goes on with the device's reset.
  /// - Returns: When to come again, in ticks; `nil` when it is done.
  /// - Throws: `deviceFailed` if the device does not come back.
  package static func resetDevice(_ number: Int) throws(Status) -> UInt64? {
    let answer = call(.resetDevice, UInt64(number), 0, 0)
    try check(answer)
    return answer.value == 0 ? nil : answer.value
  }

  /// Reads a port of a device, `width` bytes wide (1, 2 or 4).
  package static func portIn(_ port: UInt16, width: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: call(.portIn, UInt64(port), UInt64(width), 0).value)
  }

  /// Writes a port of a device, `width` bytes wide (1, 2 or 4).
  package static func portOut(_ port: UInt16, width: Int, _ value: UInt32) {
    _ = call(.portOut, UInt64(port), UInt64(width), UInt64(value))
  }

  private static func check(_ answer: cx86_answer) throws(Status) {
    let status = Status(rawValue: answer.status) ?? .badArgument
    guard status == .ok else { throw status }
  }
}

extension PassedDevice {
  /// The page of device `number` of this VMM's guest.
  package static func own(_ number: Int) -> PassedDevice {
    // SAFETY: the kernel maps a page there for each device that the configuration counts.
    unsafe PassedDevice(unsafeBase: Memory.pointer(AddressMap.passedDevices + UInt64(number) * 4096))
  }
}
