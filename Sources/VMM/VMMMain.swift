// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component

/// Where a VMM starts: the kernel has given it a guest's memory as it was left (see `GuestMemoryMark`), and a vCPU as after power-on.
@c(component_main)
func componentMain() {
  let configuration = Mapped<VMMConfiguration>.configuration.value
  guard configuration.version == VMMConfiguration.version else {
    Kernel.log(.error, "the boot image has another version of this VM's configuration")
    Kernel.exit(.powerOff)
  }
  VirtualMachine(configuration).run(configuration)
}
