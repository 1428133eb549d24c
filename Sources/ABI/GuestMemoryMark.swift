// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Whose contents a guest's memory has: in the page that a vCPU's VMM and the kernel share, behind `VirtualCPUState`.
///
/// Zero at boot, when it is what an earlier system left; the VMM clears the memory and then says so. The kernel makes it
/// zero again when the VM is switched off, and not when it starts anew after a crash or a reboot.
package struct GuestMemoryMark: BitwiseCopyable {
  /// Where it is in the page.
  package static var offset: UInt64 { 2048 }

  /// Not zero: the guest's own of this life or of a former one since the VM was switched on.
  package var isGuests: UInt64 = 0

  package init() {}
}
