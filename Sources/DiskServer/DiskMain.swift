// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import AHCI
import Bits
import Component
import DiskService

/// Where a disk server starts: for the first time, or after it failed, with its disks in use.
@c(component_main)
func componentMain() {
  guard Mapped<DiskConfiguration>.configuration.value.version == DiskConfiguration.version else {
    Kernel.log(.error, "the boot image has another version of this disk's configuration")
    Kernel.exit(.powerOff)
  }
  let imageSize = Mapped<DiskConfiguration>.configuration.value.imageSize
  if imageSize > 0 {
    // SAFETY: the description maps so many bytes of the image there.
    serve(unsafe ImageDrive(unsafeBase: UnsafeRawPointer(Memory.pointer(AddressMap.diskImage)), byteCount: imageSize))
  }
  let information = Mapped<DeviceInformation>.deviceInformation.value
  // SAFETY: the description maps the device memory into every disk server, and the kernel says where the controller
  // finds it.
  let buffers = unsafe DriveBuffers(
    unsafeBase: Memory.pointer(AddressMap.deviceMemory), deviceAddress: information.memoryAddress)
  serve(
    AHCIDrive(
      registers: DeviceRegisters(information), buffers: buffers, guests: information.guests,
      hasInterrupts: information.interruptDelivery != InterruptDelivery.none.rawValue,
      now: Time.scale.nanoseconds(ofTicks: Time.ticks)))
}

/// Serves a drive for ever. The server lives in the workspace: the stack has no room for several of them, which the
/// compiler would have there while it moves one about.
private func serve<Drive: DiskDrive & ~Copyable>(_ drive: consuming Drive) -> Never {
  precondition(UInt64(MemoryLayout<DiskServer<Drive>>.size) <= DiskConfiguration.workspaceSize)
  // SAFETY: the description maps a workspace of that size there for every disk server, which nothing else uses.
  let server = unsafe Memory.pointer(AddressMap.workspace).bindMemory(to: DiskServer<Drive>.self, capacity: 1)
  unsafe server.initialize(to: DiskServer(drive))
  unsafe server.pointee.run()
}

extension DeviceRegisters: RegisterSpace {}
