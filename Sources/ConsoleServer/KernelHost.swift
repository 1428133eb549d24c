// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Terminal

/// The system as the console reaches it: the kernel's calls and the mappings of its address space.
struct KernelHost: ConsoleHost {
  var now: UInt64 { Time.ticks }
  var frequency: UInt64 { Mapped<SystemInformation>.information.value.tscFrequency }

  var memoryOutsideGuests: UInt64 { Mapped<SystemInformation>.information.value.memoryOutsideGuests }

  func status(of domain: UInt32) -> DomainStatus {
    Mapped<DomainStatus>.status(ofDomain: min(Int(domain), BootLimits.domains - 1)).value
  }

  func counters(ofDisk number: Int) -> DiskCounters {
    Mapped<DiskCounters>.counters(ofDisk: min(number, DiskConfiguration.capacity - 1)).value
  }

  func counters(ofSwitch number: Int) -> SwitchCounters {
    Mapped<SwitchCounters>.counters(ofSwitch: min(number, SwitchConfiguration.capacity - 1)).value
  }

  func output(of machine: Int) -> ByteRing {
    // SAFETY: the description maps a channel's memory for each VM of the configuration.
    unsafe ConsoleChannel.output(unsafeBase: Self.channel(machine))
  }

  func input(of machine: Int) -> ByteRing {
    // SAFETY: as for `output`.
    unsafe ConsoleChannel.input(unsafeBase: Self.channel(machine))
  }

  func keys(of machine: Int) -> MachineKeys {
    // SAFETY: as for `output`.
    unsafe ConsoleChannel.keys(unsafeBase: Self.channel(machine))
  }

  mutating func signal(machine: Int) { Kernel.signal(channel: machine) }
  mutating func stop(domain: UInt32) { change { () throws(Status) in try Kernel.stop(domain: Int(domain)) } }
  mutating func restart(domain: UInt32) { change { () throws(Status) in try Kernel.restart(domain: Int(domain)) } }
  mutating func setTimer(atTick tick: UInt64) { Kernel.setTimer(atTick: tick) }

  private func change(_ body: () throws(Status) -> Void) {
    do throws(Status) { try body() } catch { Kernel.log(.error, "the kernel refused to start or stop a domain") }
  }

  private static func channel(_ machine: Int) -> UnsafeMutableRawPointer {
    // SAFETY: only the address is made here; `output`, `input` and `keys` say why it may be used.
    unsafe Memory.pointer(AddressMap.channels + UInt64(machine) * AddressMap.channelStride)
  }
}

/// The UART's registers, through the kernel, which grants this component its eight ports.
struct KernelPorts: PortSpace {
  let first: UInt16

  mutating func load(_ offset: UInt16) -> UInt8 { Kernel.portIn(first + offset) }
  mutating func store(_ value: UInt8, at offset: UInt16) { Kernel.portOut(first + offset, value) }
}
