// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

#if FAULT_INJECTION
  /// A way for tests to make a VMM fail: only in builds that ask for it (ROOST_TEST_FAULT=1), never in one that people run.
  enum FaultInjection {
    /// Where a guest asks for a fault.
    static var port: UInt16 { 0xF00D }
    /// What it asks with.
    private static var code: UInt64 { 0xDE }

    /// Traps if `value` is the code.
    @inline(never)
    static func strike(_ value: UInt64) {
      precondition(value & 0xff != code, "the test wants a trap")
    }
  }
#endif
