// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// Says why the machine cannot be set up, and stops.
func refuse(_ error: BootError) -> Never {
  switch error {
  case .refused(let sentence): log(.error, "cannot start: \(sentence)")
  case .outOfMemory(let wanted, let largest):
    log(.error, "cannot start: \(wanted / .MiB) MiB are wanted, at most \(largest / .MiB) MiB are left; add memory")
  case .forDomain(let name, let wanted, let largest):
    log(.error, "cannot start: VM \(name) wants \(wanted / .MiB) MiB, only \(largest / .MiB) MiB are left; add memory")
  case .line(let line): log(.error, line)
  }
  stopMachine()
}
