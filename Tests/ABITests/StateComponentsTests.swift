// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ABI

struct StateComponentsTests {
  @Test(arguments: [1, 3, 7, 0xE7, 0x2E7] as [UInt64])
  func `what belongs together is accepted`(value: UInt64) {
    #expect(StateComponents.isValid(value, supported: 0x2E7))
  }

  @Test(arguments: [0, 2, 6, 5, 0x27, 0xC7, 0xE3, 0xE1] as [UInt64])
  func `a component without those it rests on is refused`(value: UInt64) {
    #expect(!StateComponents.isValid(value, supported: 0x2E7))
  }

  @Test(arguments: [7, 9, 0xE7, .max] as [UInt64])
  func `what the processor has not is refused`(value: UInt64) {
    #expect(!StateComponents.isValid(value, supported: 3))
  }
}
