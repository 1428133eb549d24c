// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Whose output reaches the screen.
package enum ScreenMode: Equatable, Sendable {
  /// Everybody's, each line behind its writer's name.
  case all
  /// Only that of the VM with the keyboard, as it is.
  case onlyFocus
}

/// Who writes a line.
enum Writer: Equatable {
  case machine(Int)
  /// The command that is being typed.
  case command
}

/// One VM as the screen sees it.
struct MachineView {
  let name: ShortName
  var filter = OutputFilter()
  var line = LineBuffer()
  /// When an unfinished line that is not shown must be; `nil` if it need not.
  var due: UInt64?
  /// Whether part of the line was never on the screen.
  var isUnseen = false
  /// Columns that a carriage return has still to move the terminal's cursor: most are followed by the line's end.
  var owedReturn = 0
  /// What it printed while it was not shown.
  var history: History
}
