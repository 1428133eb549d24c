// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A message-signalled interrupt: a write of `data` to `address`, both chosen by software (PCI Local Bus 3.0, §6.8).
package struct InterruptMessage: Equatable, Sendable, BitwiseCopyable {
  package var address: UInt64
  package var data: UInt32

  package init(address: UInt64, data: UInt32) {
    self.address = address
    self.data = data
  }
}
