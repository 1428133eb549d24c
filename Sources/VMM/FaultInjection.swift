// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

#if FAULT_INJECTION
  /// A way for tests to make components fail: only in builds that ask for it (ROOST_TEST_FAULT=1), never in one that
  /// people run.
  enum FaultInjection {
    /// Where a guest asks for a fault.
    static var port: UInt16 { 0xF00D }
    /// What it asks with: that its VMM traps, or the server of its first device.
    private static var ownFault: UInt64 { 0xDE }
    private static var serversFault: UInt64 { 0x5A }

    /// Does what `value` asks for.
    @inline(never)
    static func strike(_ value: UInt64, _ devices: borrowing DeviceLinks) {
      precondition(value & 0xff != ownFault, "the test wants a trap")
      if value & 0xff == serversFault { devices.placeFault(0) }
    }
  }
#endif
