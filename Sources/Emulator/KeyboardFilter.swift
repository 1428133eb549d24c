// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What a person types on the console, on its way to the machine.
package struct KeyboardFilter: Sendable {
  /// Control-], as in telnet and virsh: no shell, editor or screen multiplexer uses it.
  package static let quitKey: UInt8 = 0x1d

  /// The bytes to pass on.
  package var forwarded: ArraySlice<UInt8>
  /// Whether the person wants to leave; what was typed after that is dropped.
  package var wantsToQuit: Bool

  package init(_ typed: ArraySlice<UInt8>) {
    let end = typed.firstIndex(of: Self.quitKey)
    forwarded = typed[..<(end ?? typed.endIndex)]
    wantsToQuit = end != nil
  }
}
