// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI

/// Why a guest stopped, as one vendor's processor tells of it, put into words of neither.
package protocol GuestExit: Sendable {
  /// The reason; `nil` if it is the kernel's own affair, and nothing that a VMM emulates.
  var reason: ExitReason? { get }
  /// The port of the OUT that the guest left for; `nil` if it left for anything else, OUTS included.
  var writtenPort: UInt16? { get }
  /// What a VMM needs to know of an exit for `reason`.
  func describe(_ reason: ExitReason, in exit: inout ExitInformation)
}
