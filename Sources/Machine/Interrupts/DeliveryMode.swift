// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What an interrupt message does to the processor that it reaches (Intel SDM volume 3, §11.6.1); the values are
/// those of the registers of APIC and IOAPIC and of MSI data.
package enum DeliveryMode: UInt8, Sendable {
  case fixed = 0
  case lowestPriority = 1
  case systemManagement = 2
  case nonMaskable = 4
  case initialise = 5
  case startup = 6
  /// The 8259As name the vector.
  case external = 7
}

/// How an interrupt line, or a message for one, is triggered.
package enum Trigger: Sendable {
  case edge
  /// The end of interrupt is told to the IOAPIC.
  case level
}
