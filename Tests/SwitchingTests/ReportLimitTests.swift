// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Switching

struct ReportLimitTests {
  @Test func `the first failure is reported at once, and those in the next seconds are counted`() {
    var limit = ReportLimit()

    #expect(limit.admit(port: 3, now: 1) == 0)
    for time in 2..<9 { #expect(limit.admit(port: 3, now: UInt64(time)) == nil) }
    #expect(limit.admit(port: 3, now: ReportLimit.interval) == nil)
    #expect(limit.admit(port: 3, now: 1 + ReportLimit.interval) == 8)
    #expect(limit.admit(port: 3, now: 2 + 2 * ReportLimit.interval) == 0)
  }

  @Test func `ports do not keep each other quiet`() {
    var limit = ReportLimit()

    for port in 0..<16 { #expect(limit.admit(port: port, now: 1) == 0) }
  }
}
