// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// One terminal line at the bottom of the screen, and many who write. At any time the line has one owner or none:
//
//   none ── somebody's line is shown ─► owned ── the owner ends its line ─► none
//                                         └── somebody else has a line to show ─► owned by them
//
// The owner's characters go straight to the terminal. Everybody else's gather in their own `LineBuffer` until the line
// is complete, or until it has waited (a prompt is never completed): then the owner's line is set aside and theirs is
// shown in full, behind their name. The line of the VM that has the keyboard, and the command that is being typed, are
// wiped rather than left behind, because they come back to the bottom as soon as the others are done.
//
// When only the VM with the keyboard is shown, its bytes pass unchanged. They still run through its `LineBuffer`, so
// that its prompt can be put back after a message of the console.

/// The output side: brings the lines of up to 16 VMs, of the log and of the console onto one screen.
struct ScreenMultiplexer {
  /// Bytes to which one guest byte can grow: two names, two lines.
  static var expansion: Int { 1024 }
  /// Columns a terminal has at least: a longer line may have been wrapped, and cannot be wiped.
  static var columns: Int { 80 }

  /// What waits for the UART.
  var queue: ByteQueue
  var views: InlineArray<16, MachineView>
  let count: Int
  /// The VM that has the keyboard.
  var focus = 0
  var mode = ScreenMode.all
  var owner: Writer?
  /// The command that is being typed.
  var command = LineBuffer()
  var commandDue: UInt64?
  var now: UInt64 = 0
  /// Columns of the longest VM name.
  let nameWidth: Int
  /// Ticks that an unfinished line of the keyboard's VM, and of another, waits to be completed.
  let focusPatience: UInt64
  let patience: UInt64

  init(queue: ByteQueue, views: InlineArray<16, MachineView>, count: Int, frequency: UInt64) {
    self.queue = queue
    self.views = views
    self.count = count
    var width = 0
    for index in 0..<count { width = max(width, views[index].name.count) }
    nameWidth = width
    focusPatience = frequency / 100
    patience = frequency / 20
  }

  // MARK: - Time

  /// Sets the clock.
  mutating func begin(at now: UInt64) { self.now = now }

  /// Shows the unfinished lines that have waited long enough; the keyboard's own comes last, to be at the bottom.
  mutating func advance(to now: UInt64) {
    begin(at: now)
    for index in 0..<count where index != focus { showIfDue(index) }
    if let due = commandDue, due <= now {
      takeLine(.command)
    } else {
      showIfDue(focus)
    }
  }

  /// When `advance` has something to do.
  var nextDeadline: UInt64? {
    // Changes nothing: a plain getter would copy all views first, on every wake-up.
    mutating get {
      var next = commandDue
      for index in 0..<count {
        if let due = views[index].due { next = min(next ?? due, due) }
      }
      return next
    }
  }

  private mutating func showIfDue(_ index: Int) {
    if let due = views[index].due, due <= now { takeLine(.machine(index)) }
  }

  // MARK: - What guests print

  /// Shows a byte that VM `index` printed.
  mutating func show(_ byte: UInt8, of index: Int) {
    guard isRaw(index) else {
      apply(views[index].filter.take(byte), to: index)
      return
    }
    if owner != .machine(index) { takeLine(.machine(index)) }
    emit(byte)
    track(views[index].filter.take(byte), of: index)
  }

  /// Whether the bytes of VM `index` pass unchanged.
  func isRaw(_ index: Int) -> Bool { mode == .onlyFocus && index == focus }

  private mutating func apply(_ token: ScreenToken, to index: Int) {
    if token == .none { return }
    if token == .newLine { return finishLine(of: index) }
    if token == .character, !views[index].line.hasRoom(for: views[index].filter.count) {
      guard views[index].line.isAtEnd else { return }
      finishLine(of: index)
    }
    if owner == .machine(index) {
      draw(token, of: index)
      track(token, of: index)
    } else {
      track(token, of: index)
      guard views[index].line.width > 0 else { return }
      views[index].isUnseen = true
      views[index].due = views[index].due ?? now &+ (index == focus ? focusPatience : patience)
    }
  }

  /// Ends the line of VM `index`, shown in full.
  mutating func finishLine(of index: Int) {
    views[index].line.moveToEnd()
    if owner != .machine(index) { takeLine(.machine(index)) }
    endLine(styled: views[index].line.isStyled)
    views[index].line.clear()
    restoreBottomLine()
  }

  /// Does to the terminal what `token` says; the line of VM `index` is on it, as its buffer has it.
  private mutating func draw(_ token: ScreenToken, of index: Int) {
    if token == .carriageReturn {
      views[index].owedReturn += views[index].line.column
      return
    }
    moveLeft(views[index].owedReturn)
    views[index].owedReturn = 0
    switch token {
    case .character, .style:
      for offset in 0..<views[index].filter.count { emit(views[index].filter.text[offset]) }
    case .tab:
      for _ in 0..<spacesOfTab(in: views[index].line) { emit(0x20) }
    case .backspace: moveLeft(min(views[index].line.column, 1))
    case .left(let columns): moveLeft(min(views[index].line.column, columns))
    case .right(let columns):
      let step = min(views[index].line.columnsToEnd, columns)
      if step > 0 { emit(line: "\u{1b}[\(step)C") }
    case .eraseToEnd: emit("\u{1b}[K")
    case .eraseLine:
      moveLeft(views[index].line.column)
      emit("\u{1b}[K")
    case .none, .newLine, .carriageReturn: break
    }
  }

  /// Keeps the line buffer of VM `index` as its terminal line is after `token`.
  private mutating func track(_ token: ScreenToken, of index: Int) {
    let length = views[index].filter.count
    switch token {
    case .none: break
    case .newLine: views[index].line.clear()
    case .character: views[index].line.put(views[index].filter.text, count: length)
    case .style: views[index].line.style(views[index].filter.text, count: length)
    case .tab:
      for _ in 0..<spacesOfTab(in: views[index].line) { views[index].line.append(0x20) }
    case .backspace: _ = views[index].line.moveLeft(1)
    case .left(let columns): _ = views[index].line.moveLeft(columns)
    case .right(let columns): _ = views[index].line.moveRight(columns)
    case .eraseToEnd: views[index].line.truncate()
    case .carriageReturn: views[index].line.moveToStart()
    case .eraseLine: views[index].line.clear()
    }
  }

  /// Blanks up to the next column that is a multiple of 8; none in the middle of a line, where a tab writes nothing.
  private func spacesOfTab(in line: LineBuffer) -> Int {
    guard line.isAtEnd else { return 0 }
    let spaces = 8 - line.column % 8
    return line.hasRoom(for: spaces) ? spaces : 0
  }
}
