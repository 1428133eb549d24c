// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component

/// Where a switch starts: for the first time, or after it failed, with its cards in use.
@c(component_main)
func componentMain() {
  guard Mapped<SwitchConfiguration>.configuration.value.version == SwitchConfiguration.version else {
    Kernel.log(.error, "the boot image has another version of this switch's configuration")
    Kernel.exit(.powerOff)
  }
  SwitchServer().run()
}
