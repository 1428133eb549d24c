// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

#if FAULT_INJECTION
  import ABI
  import CX86
  import Component

  /// A way for tests to make components fail: only in builds that ask for it (ROOST_TEST_FAULT=1), never in one that
  /// people run.
  enum FaultInjection {
    /// Where a guest asks for a fault.
    static var port: UInt16 { 0xF00D }
    /// What it asks with: that its VMM traps, or the server of its first device.
    private static var ownFault: UInt64 { 0xDE }
    private static var serversFault: UInt64 { 0x5A }
    /// That its VMM makes a system call from 32-bit code, or runs with the flag set that lets ring 0 into ring 3's pages.
    private static var callIn32Bits: UInt64 { 0x32 }
    private static var openDoor: UInt64 { 0xAC }
    /// That it has the kernel print memory of its guest.
    private static var foreignText: UInt64 { 0x1C }

    /// Does what `value` asks for.
    @inline(never)
    static func strike(_ value: UInt64, _ devices: borrowing DeviceLinks) {
      precondition(value & 0xff != ownFault, "the test wants a trap")
      if value & 0xff == serversFault { devices.placeFault(0) }
      if value & 0xff == callIn32Bits { cx86_call_from_32_bits() }
      if value & 0xff == openDoor { waitWithOpenDoor() }
      if value & 0xff == foreignText { printGuest() }
    }

    /// Traps if the kernel does it.
    private static func printGuest() {
      let answer = cx86_system_call(SystemCall.log.rawValue, AddressMap.guestLow, 16, 0)
      precondition(answer.status == Status.badAddress.rawValue, "the kernel reads what is not the component's own")
    }

    /// Lets interrupts of the machine come for some ticks of the core's timer.
    private static func waitWithOpenDoor() {
      let end = Time.ticks &+ Mapped<SystemInformation>.information.value.tscFrequency / 4
      cx86_set_alignment_check()
      while Time.ticks < end {}
      cx86_clear_alignment_check()
    }
  }
#endif
