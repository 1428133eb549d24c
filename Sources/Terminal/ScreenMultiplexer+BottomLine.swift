// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// MARK: - The bottom line

extension ScreenMultiplexer {
  /// Gives the bottom line to `writer` and shows what it has written of it.
  mutating func takeLine(_ writer: Writer) {
    if owner != writer { setAside() }
    owner = writer
    emitName(of: writer)
    switch writer {
    case .machine(let index):
      views[index].due = nil
      views[index].isUnseen = false
      views[index].owedReturn = 0
      emit(views[index].line)
    case .command:
      commandDue = nil
      emit(command)
    }
  }

  /// Clears the bottom line for somebody else.
  mutating func setAside() {
    guard let writer = owner else { return }
    let (line, nameColumns) =
      switch writer {
      case .machine(let index): (views[index].line, isRaw(index) ? 0 : nameWidth + 3)
      case .command: (command, 8)
      }
    if returns(writer), nameColumns + line.width < Self.columns {
      emit(Colour.reset)
      emit("\r\u{1b}[K")
      owner = nil
    } else {
      endLine(styled: true)
    }
    restoreBottomLine()
  }

  /// Whether the line of `writer` comes back to the bottom by itself.
  private func returns(_ writer: Writer) -> Bool {
    writer == .command || writer == .machine(focus)
  }

  mutating func endLine(styled: Bool) {
    if styled { emit(Colour.reset) }
    emit("\r\n")
    owner = nil
  }

  /// Sees to it that what the person is typing at comes back to the bottom once the others pause.
  mutating func restoreBottomLine() {
    if !command.isEmpty {
      commandDue = commandDue ?? now &+ focusPatience
    } else if !views[focus].line.isEmpty, owner != .machine(focus) {
      views[focus].due = views[focus].due ?? now &+ focusPatience
    }
  }

  // MARK: - What the console says

  /// Shows the command as far as it is typed.
  mutating func showCommand(_ typed: CommandText) {
    wipeCommand()
    setAside()
    for index in 0..<typed.count { command.append(typed.bytes[index]) }
    takeLine(.command)
  }

  /// Takes the command off the screen: it was completed or taken back.
  mutating func wipeCommand() {
    if owner == .command {
      emit("\r\u{1b}[K")
      owner = nil
    }
    command.clear()
    commandDue = nil
    restoreBottomLine()
  }

  /// Shows a message of `source`, in as many rows as it needs.
  mutating func say(_ text: LogLine, from source: Source = .console, level: UInt8 = 1) {
    setAside()
    var rows = LogRows(text)
    while let row = rows.next() {
      emitName(of: source)
      emit(Colour.level(level))
      emit(line: row)
      endLine(styled: true)
    }
    restoreBottomLine()
  }

  /// Who says a line that no guest printed.
  enum Source {
    case console, kernel
    /// The VMM of a VM.
    case monitor(Int)
    case server(ShortName)
  }

  // MARK: - Who is shown

  /// Gives the keyboard to VM `index`, whose unfinished line comes to the bottom.
  mutating func focus(on index: Int) {
    guard index < count else { return }
    hold()
    focus = index
    restoreBottomLine()
  }

  /// Chooses whose output is shown.
  mutating func show(_ mode: ScreenMode) {
    hold()
    self.mode = mode
    restoreBottomLine()
  }

  /// Ends the line of VM `index`, which will not go on with it: it ended, or began anew.
  mutating func endMachine(_ index: Int) {
    guard mode == .all || index == focus else { return }
    views[index].filter.reset()
    if owner == .machine(index) || views[index].isUnseen { return finishLine(of: index) }
    views[index].line.clear()
    views[index].due = nil
  }

  /// Ends what is on the bottom line, and takes back what a program that had the whole screen may have set.
  mutating func hold() {
    if let owner, case .machine(let index) = owner, views[index].line.isEmpty { self.owner = nil }
    if owner != nil { endLine(styled: true) }
    if mode == .onlyFocus {
      // Soft reset (DECSTR), the normal screen, the ASCII character set: none of them moves the cursor.
      emit("\u{1b}[!p\u{1b}[?47l\u{1b}(B\u{1b}[0m")
    }
    if !views[focus].isUnseen { views[focus].due = nil }
  }
}
