// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A terminal whose keys arrive one by one and unchanged, Control-C included; `restore` undoes it.
struct RawTerminal {
  private let descriptor: Int32
  private let before: termios

  /// `nil` if the descriptor is no terminal.
  init?(_ descriptor: Int32) {
    var settings = termios()
    // SAFETY: `settings` lives across the call, which fills it in.
    guard unsafe tcgetattr(descriptor, &settings) == 0 else { return nil }
    self.descriptor = descriptor
    before = settings
    // SAFETY: as above.
    unsafe cfmakeraw(&settings)
    // SAFETY: as above.
    guard unsafe tcsetattr(descriptor, TCSANOW, &settings) == 0 else { return nil }
  }

  func restore() {
    var settings = before
    // SAFETY: `settings` lives across the call.
    _ = unsafe tcsetattr(descriptor, TCSADRAIN, &settings)
  }
}
