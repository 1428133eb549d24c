// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Speculation

/// A guest's SPEC_CTRL where the kernel keeps it.
struct GuestControlTests {
  private static let old: SpeculationControl = .restricted | .singleThread | .keepsStoreOrder

  @Test func `a bit that the processor has not is refused, and changes nothing`() {
    var control = GuestControl(allowed: Self.old, host: .restricted)
    for bit in 3..<64 {
      #expect(control.write(1 << UInt64(bit) | 1) == .refused)
      #expect(control.value == .none && !control.isOwn)
    }
  }

  @Test func `a guest that leaves it alone, or clear, has nothing switched`() {
    var control = GuestControl(allowed: Self.old, host: .none)
    #expect(control.value == .none && !control.isOwn && control.isThere)
    #expect(control.write(0) == .kept && !control.isOwn)
  }

  @Test func `what the kernel has set anyway is kept for the guest, and not switched`() {
    var control = GuestControl(allowed: Self.old | .noHistory, host: .restricted | .noHistory)
    #expect(control.write(1) == .kept && control.value == .restricted)
    #expect(control.write(1 << 10 | 1) == .kept && control.value == .restricted | .noHistory)
    #expect(control.write(0) == .kept && control.value == .none)
    #expect(!control.isOwn)
  }

  @Test func `more than the kernel has makes the register the guest's, until its reset`() {
    var control = GuestControl(allowed: Self.old, host: .restricted)
    #expect(control.write(5) == .own && control.isOwn && control.value == .restricted | .keepsStoreOrder)

    control.reset()
    #expect(control.value == .none && !control.isOwn)
    #expect(control.write(1) == .kept)
  }

  @Test func `without enhanced IBRS the first guest that sets it has the register`() {
    var control = GuestControl(allowed: Self.old, host: .none)
    #expect(control.write(1) == .own && control.isOwn)
  }

  @Test func `where there is no such register, no bit of it can be set`() {
    var control = GuestControl(allowed: .none, host: .none)
    #expect(!control.isThere && control.write(1) == .refused)
  }
}
