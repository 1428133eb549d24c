// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if FAULT_INJECTION
  extension DeviceLink {
    /// Has the server of this device trap once; for builds that tests alone use.
    package func placeFault() { fault { $0.store(1, ordering: .releasing) } }

    /// Whether the server is to trap now.
    package func takeFault() -> Bool { fault { $0.exchange(0, ordering: .acquiringAndReleasing) } != 0 }
  }
#endif
