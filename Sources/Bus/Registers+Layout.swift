// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

/// Where things are in configuration space (PCI Express 6.0, §7.5.1).
enum Register {
  static var vendor: Int                  { 0x00 }
  static var device: Int                  { 0x02 }
  static var command: Int                 { 0x04 }
  static var status: Int                  { 0x06 }
  static var revisionAndClass: Int        { 0x08 }
  static var cacheLineSize: Int           { 0x0c }
  static var headerType: Int              { 0x0e }
  static var firstBase: Int               { 0x10 }
  static var secondaryBus: Int            { 0x19 }   // type 1
  static var subordinateBus: Int          { 0x1a }   // type 1
  static var ioWindow: Int                { 0x1c }   // type 1: base and limit
  static var memoryWindow: Int            { 0x20 }   // type 1: base and limit
  static var prefetchableWindow: Int      { 0x24 }   // type 1
  static var prefetchableBaseHigh: Int    { 0x28 }   // type 1
  static var prefetchableLimitHigh: Int   { 0x2c }   // type 1
  static var ioWindowHigh: Int            { 0x30 }   // type 1: base and limit
  static var subsystemVendor: Int         { 0x2c }   // type 0
  static var subsystem: Int               { 0x2e }   // type 0
  static var expansionROM: Int            { 0x30 }   // type 0
  static var capabilities: Int            { 0x34 }
  static var bridgeROM: Int               { 0x38 }   // type 1
  static var interruptLine: Int           { 0x3c }
  static var interruptPin: Int            { 0x3d }
  static var bridgeControl: Int           { 0x3e }   // type 1
  static var firstCapability: Int         { 0x40 }
  static var firstExtended: Int           { 0x100 }
  static var spaceSize: Int               { 0x1000 }
}

/// The bits of the 16-bit command register (§7.5.1.1.3).
enum CommandBits {
  static var ioSpace: UInt16              { 1 << 0 }
  static var memorySpace: UInt16          { 1 << 1 }
  static var busMaster: UInt16            { 1 << 2 }
  static var interruptDisable: UInt16     { 1 << 10 }
  static var decoding: UInt16             { ioSpace | memorySpace }
}

/// Offsets in the PCI Express capability (§7.5.3).
enum ExpressRegister {
  static var capabilities: Int            { 0x02 }
  static var deviceCapabilities: Int      { 0x04 }
  static var deviceControl: Int           { 0x08 }
  static var deviceStatus: Int            { 0x0a }
  static var linkControl: Int             { 0x10 }
  static var deviceControl2: Int          { 0x28 }

  static var canReset: UInt32             { 1 << 28 }   // device capabilities
  static var initiateReset: UInt16        { 1 << 15 }   // device control
  static var delegatedControl: UInt16     { 0x7810 }    // device control: relaxed ordering, no snoop, read size
  static var errors: UInt16               { 0xf }       // device status: a one clears
  static var transactionsPending: UInt16  { 1 << 5 }    // device status
}

/// Offsets in the power management capability (§7.5.2).
enum PowerRegister {
  static var control: Int                 { 0x04 }

  static var state: UInt16                { 3 }         // 0 is D0, 3 is D3
  static var keepsState: UInt16           { 1 << 3 }    // No_Soft_Reset
  static var eventEnable: UInt16          { 1 << 8 }
  static var eventStatus: UInt16          { 1 << 15 }   // a one clears
}

/// Offsets in the advanced features capability (PCI Advanced Capabilities ECN, §6.7.2), for conventional functions.
enum AdvancedRegister {
  static var capabilities: Int            { 0x03 }
  static var control: Int                 { 0x04 }
  static var status: Int                  { 0x05 }

  static var canReset: UInt8              { 1 << 1 }
  static var canTellPending: UInt8        { 1 << 0 }
  static var transactionsPending: UInt8   { 1 << 0 }
}

/// Offsets in the MSI capability (§7.7.1).
enum MSIRegister {
  static var control: Int                 { 0x02 }
  static var address: Int                 { 0x04 }

  static var enable: UInt16               { 1 << 0 }
  static var enabledCount: UInt16         { 7 << 4 }
  static var wideAddress: UInt16          { 1 << 7 }
  static var canMask: UInt16              { 1 << 8 }
}

/// Offsets in the MSI-X capability (§7.7.2).
enum MSIXRegister {
  static var control: Int                 { 0x02 }
  static var table: Int                   { 0x04 }
  static var pending: Int                 { 0x08 }

  static var maskAll: UInt16              { 1 << 14 }
  static var enable: UInt16               { 1 << 15 }
}

/// Offsets in the access control services capability (§7.7.11).
enum IsolationRegister {
  static var capabilities: Int            { 0x04 }
  static var control: Int                 { 0x06 }
  /// Where some ports have it.
  static var wideControl: Int             { 0x08 }
}

/// Bits of a bridge's control register (§7.5.1.3.15).
enum BridgeControlBits {
  static var secondaryReset: UInt16       { 1 << 6 }
}
