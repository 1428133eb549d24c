// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// The bounds that a description is held to.
package enum Limits {
  /// One digit of the console reaches each VM.
  package static let machines = 10
  package static let nameLength = ShortName.capacity
  /// The final zero needs one byte.
  package static let commandLine = VMMConfiguration.commandLineCapacity - 1
  package static let cores = BootLimits.cores
  /// Guest memory comes in the large pages of the nested page table.
  package static let memoryUnit: UInt64 = 2 * .MiB
  package static let leastMemory: UInt64 = 32 * .MiB
  package static let mostMemory: UInt64 = 512 * .GiB
  /// What the kernel, the components and the boot image need beside the guests.
  package static let reserve: UInt64 = 128 * .MiB
  /// Names of domains that are no VMs.
  package static let reservedNames = ["console", "kernel"]
}
