// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How often a test that makes up its input does so: `count` times, times the environment's `ROOST_FUZZ`.
package func fuzzRounds(_ count: Int) -> Int {
  count * max(Int(ProcessInfo.processInfo.environment["ROOST_FUZZ"] ?? "") ?? 1, 1)
}
