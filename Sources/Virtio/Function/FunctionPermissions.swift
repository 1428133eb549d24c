// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import PCI

/// What of configuration space is asked at each access and at each interrupt: where the function is, and what the guest
/// lets it do. Kept apart because to read configuration space is to copy it.
struct FunctionPermissions: Equatable, Sendable {
  /// The base of a range that is decoded.
  var ports: UInt16?
  var memory: UInt64?
  /// MSI-X message control, bits 15 and 14 (PCI Local Bus 3.0, §6.8.2.3).
  var hasMessages = false
  var masksMessages = false
  /// The command register, bits 2 and 10 (§6.2.2).
  var isBusMaster = false
  var disablesPin = false

  init() {}

  /// - Parameter messageControl: where message control is.
  init(_ configuration: PCIConfigurationSpace, messageControl: UInt8) {
    ports = configuration.address(ofRange: FunctionLayout.portRange).flatMap { UInt16(exactly: $0) }
    memory = configuration.address(ofRange: FunctionLayout.memoryRange)
    let control = configuration.read(messageControl, width: 2)
    hasMessages = control & 1 << 15 != 0
    masksMessages = control & 1 << 14 != 0
    isBusMaster = configuration.command.contains(.busMaster)
    disablesPin = configuration.command.contains(.interruptDisable)
  }
}
