// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// A function whose requests are somebody's.
struct DeviceOwner {
  let address: FunctionAddress
  let domain: Int
}
