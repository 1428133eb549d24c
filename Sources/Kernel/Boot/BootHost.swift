// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Firmware
import Speculation
import X86

/// The machine, as it is known before the boot image is read.
struct BootHost {
  let machine: MachineDescription
  let features: ProcessorFeatures
  let support: GuestSupport
  /// What this processor does about speculation; other cores plan for themselves.
  let speculation: ProcessorSpeculation
  /// What a BIOS left about the machine's ports.
  let dataArea: BIOSDataArea?
  /// The kernel's own address space.
  let space: AddressSpace
  /// The way to functions of PCI.
  let access: BusAccess
  /// What starts the other cores.
  let starter: CoreStart
}
