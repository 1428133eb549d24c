// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The serial ports that the kernel writes to besides COM1 and COM2: the firmware's own, and the description's. A global,
/// because a panic has nothing else to hold on to.
struct EarlyPorts: ~Copyable {
  private let firmware = Atomic<UInt16>(0)
  private let description = Atomic<UInt16>(0)

  /// The first I/O port of the UART that the firmware's own console is on.
  func keep(firmware port: UInt16) { firmware.store(port, ordering: .relaxed) }

  /// The first I/O port of the UART that the description names.
  func keep(description port: UInt16) { description.store(port, ordering: .relaxed) }

  /// Calls `body` with each port, once.
  func each(_ body: (UInt16) -> Void) {
    let first: (UInt16, UInt16) = (0x3f8, 0x2f8)
    let (firmware, description) = (firmware.load(ordering: .relaxed), description.load(ordering: .relaxed))
    body(first.0)
    body(first.1)
    let isNew = firmware != 0 && firmware != first.0 && firmware != first.1
    if isNew { body(firmware) }
    if description != 0, description != first.0, description != first.1, description != firmware { body(description) }
  }
}

let earlyPorts = EarlyPorts()
