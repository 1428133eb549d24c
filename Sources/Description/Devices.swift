// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI

/// A PCI device of the computer that a VM has for itself.
package struct ComputerDevice: Equatable, Sendable {
  package var address: PCIAddress
  /// The global system interrupt of its line; `nil` if Roost is to find it.
  package var interrupt: Int?

  package var bus: UInt8 { address.bus }
  package var device: UInt8 { address.device }
  package var function: UInt8 { address.function }
}
