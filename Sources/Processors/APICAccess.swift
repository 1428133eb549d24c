// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The way to this core's local APIC: the machine's, or a test's model of it.
package protocol APICAccess {
  var mode: APICMode { get }
  func read(_ register: APICRegister) -> UInt32
  func write(_ value: UInt32, to register: APICRegister)
  /// Writes all of the interrupt command register at once, after all stores before it; in x2APIC mode alone.
  func writeCommand(_ value: UInt64)
  /// APIC_BASE.
  func readBase() -> UInt64
  func writeBase(_ value: UInt64)
  /// Lets a moment pass.
  func pause()
}
