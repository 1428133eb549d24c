// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
package import Bits

/// The fixed places of a component's address space, each with the type of what lies there.
@safe
package struct Mapped<Value: BitwiseCopyable> {
  private let pointer: UnsafeMutablePointer<Value>

  /// - Precondition: the description gives every component that uses this a mapping at `address`, large enough.
  private init(at address: UInt64) {
    // SAFETY: no address of `AddressMap` is 0.
    unsafe pointer = UnsafeMutablePointer(bitPattern: UInt(address)).unsafelyUnwrapped
  }

  package var value: Value {
    // SAFETY: mapped for as long as the component lives.
    unsafeAddress { unsafe UnsafePointer(pointer) }
    nonmutating unsafeMutableAddress { unsafe pointer }
  }
}

extension Mapped where Value == SystemInformation {
  /// What the kernel says of the machine; read-only.
  package static var information: Self { Self(at: AddressMap.information) }
}

extension Mapped where Value == VMMConfiguration {
  /// Read-only.
  package static var configuration: Self { Self(at: AddressMap.configuration) }
}

extension Mapped where Value == ConsoleConfiguration {
  /// Read-only.
  package static var configuration: Self { Self(at: AddressMap.configuration) }
}

extension Mapped where Value == VirtualCPUState {
  package static var virtualCPU: Self { Self(at: AddressMap.virtualCPU) }
}

extension Mapped where Value == DomainStatus {
  /// The status page of domain `index`; read-only, and changing as one looks.
  package static func status(ofDomain index: Int) -> Self { Self(at: AddressMap.status + UInt64(index) * 4096) }
}

extension Mapped where Value == SwitchCounters {
  /// What switch `index` counts, in the console; in a switch, only its own are there, as those of switch 0.
  package static func counters(ofSwitch index: Int) -> Self {
    Self(at: AddressMap.switchCounters + UInt64(index) * 4096)
  }
}

extension Mapped where Value == GuestMemoryMark {
  /// Whether the guest's memory holds what is the guest's, in its VMM.
  package static var guestMemoryMark: Self { Self(at: AddressMap.virtualCPU + GuestMemoryMark.offset) }
}

/// The ranges of a component's address space that are bytes.
package enum Memory {
  /// `size` bytes at `address` of a mapping that this component has, for as long as it lives.
  @_lifetime(immortal)
  package static func bytes(at address: UInt64, size: UInt64) -> RawSpan {
    // SAFETY: the caller names a range of `AddressMap` that the description maps with at least this size.
    guard let start = unsafe UnsafeRawPointer(bitPattern: UInt(address)) else { return RawSpan() }
    let span = unsafe RawSpan(_unsafeStart: start, byteCount: Int(size))
    return unsafe _overrideLifetime(span, copying: ())
  }

  /// Where `address` of a mapping is.
  package static func pointer(_ address: UInt64) -> UnsafeMutableRawPointer {
    // SAFETY: no address of `AddressMap` is 0.
    unsafe UnsafeMutableRawPointer(bitPattern: UInt(address)).unsafelyUnwrapped
  }

  /// The guest's memory, in its VMM.
  package static func guest(_ configuration: VMMConfiguration) -> GuestMemory {
    // SAFETY: the description maps both parts with these sizes for as long as the VMM lives.
    unsafe GuestMemory(
      unsafeLow: pointer(AddressMap.guestLow), lowSize: configuration.lowSize,
      base: base(ofGuest: Int(configuration.index)),
      high: configuration.highSize > 0 ? pointer(AddressMap.guestHigh) : nil, highSize: configuration.highSize)
  }

  /// Clears the guest's memory, in its VMM.
  package static func clearGuest(_ configuration: VMMConfiguration) {
    // SAFETY: as in `guest`; the guest does not run, and whoever moves data for it has given its queues back.
    unsafe Clearing.clear(unsafeStart: pointer(AddressMap.guestLow), count: Int(configuration.lowSize))
    guard configuration.highSize > 0 else { return }
    unsafe Clearing.clear(unsafeStart: pointer(AddressMap.guestHigh), count: Int(configuration.highSize))
  }

  /// The memory of the VM with this number, in a server that moves data for it.
  package static func guest(number: Int, lowSize: UInt64, highSize: UInt64) -> GuestMemory {
    let start = AddressMap.guests + UInt64(number) * AddressMap.guestStride
    // SAFETY: the description maps both parts with these sizes for as long as the server lives.
    return unsafe GuestMemory(
      unsafeLow: pointer(start), lowSize: lowSize, base: base(ofGuest: number),
      high: highSize > 0 ? pointer(start + AddressMap.guestHighOffset) : nil, highSize: highSize)
  }

  /// The `LowMemory.base` of the VM with this number.
  private static func base(ofGuest number: Int) -> UInt64 {
    let information = Mapped<SystemInformation>.information
    return information.value.guestBases.indices.contains(number) ? information.value.guestBases[number] : 0
  }
}

extension Mapped where Value == SwitchConfiguration {
  /// Read-only.
  package static var configuration: Self { Self(at: AddressMap.configuration) }
}

extension Mapped where Value == DiskConfiguration {
  /// Read-only.
  package static var configuration: Self { Self(at: AddressMap.configuration) }
}

extension Mapped where Value == DeviceInformation {
  /// What the kernel says of the device that the component owns; read-only.
  package static var deviceInformation: Self { Self(at: AddressMap.deviceInformation) }
}

extension Mapped where Value == DiskCounters {
  /// What disk `index` counts, in the console; in a disk server, only its own are there, as those of disk 0.
  package static func counters(ofDisk index: Int) -> Self {
    Self(at: AddressMap.diskCounters + UInt64(index) * 4096)
  }
}
