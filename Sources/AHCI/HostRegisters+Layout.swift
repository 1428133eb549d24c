// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

/// Where the ports' registers are (AHCI 1.3.1, §3).
enum HostLayout {
  static var ports: Int               { 0x100 }
  static var portStride: Int          { 0x80 }
  static var portCount: Int           { 32 }
}

// The controller's own registers (§3.1).
extension HostRegister<HostCapabilities> {
  static var capabilities: Self       { Self(offset: 0x00) }   // CAP
}
extension HostRegister<HostControl> {
  static var control: Self            { Self(offset: 0x04) }   // GHC
}
extension HostRegister<PortSet> {
  static var interruptStatus: Self    { Self(offset: 0x08) }   // IS     a one clears
  static var implementedPorts: Self   { Self(offset: 0x0c) }   // PI
}
extension HostRegister<MoreCapabilities> {
  static var moreCapabilities: Self   { Self(offset: 0x24) }   // CAP2
}
extension HostRegister<Handoff> {
  static var handoff: Self            { Self(offset: 0x28) }   // BOHC
}

/// What the controller can do (§3.1.1).
struct HostCapabilities: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  static var staggeredSpinUp: Self    { .bit(27) }   // SSS    drives wait for the driver to spin up
  static var nativeQueueing: Self     { .bit(30) }   // SNCQ
  static var longAddresses: Self      { .bit(31) }   // S64A   device addresses of 64 bits

  /// Commands a port can hold at a time, 1 to 32.                  NCS
  var commandSlots: Int               { Int(rawValue.bits(8, count: 5)) + 1 }
}

/// §3.1.2
struct HostControl: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  static var reset: Self              { .bit(0) }    // HR     one until the reset is done
  static var interrupts: Self         { .bit(1) }    // IE
  static var enabled: Self            { .bit(31) }   // AE     AHCI, not the older interfaces
  static var absent: Self             { Self(rawValue: .max) }
}

/// §3.1.10
struct MoreCapabilities: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  static var handoff: Self            { .bit(0) }    // BOH    the firmware may own the controller
}

/// Who of firmware and driver owns the controller (§3.1.11).
struct Handoff: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  static var firmwareOwns: Self       { .bit(0) }    // BOS
  static var driverOwns: Self         { .bit(1) }    // OOS
  static var firmwareBusy: Self       { .bit(4) }    // BB
}

/// One bit for each port.
struct PortSet: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }
  static var all: Self                { Self(rawValue: .max) }
}
