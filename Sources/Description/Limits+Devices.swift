// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI

extension Limits {
  /// PCI devices of a VM.
  package static let devices = PassedDevice.capacity
  /// Global system interrupts: computers with more pins are not heard of.
  package static let interrupts = 0...1023
  /// ISA interrupt 0 is the timer's.
  package static let uartInterrupts = 1...1023
}
