// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

extension ScreenMultiplexer {
  mutating func emit(_ byte: UInt8) { queue.append(byte) }

  mutating func emit(_ text: StaticString) {
    // SAFETY: index is below the literal's length.
    for index in 0..<text.utf8CodeUnitCount { emit(unsafe text.utf8Start[index]) }
  }

  mutating func emit(line text: LogLine) {
    for index in 0..<text.count { emit(text.bytes[index]) }
  }

  /// The line, and the cursor where it is in it.
  mutating func emit(_ line: LineBuffer) {
    for index in 0..<line.count { emit(line.bytes[index]) }
    moveLeft(line.columnsToEnd)
  }

  mutating func moveLeft(_ columns: Int) {
    if columns == 1 {
      emit(0x08)
    } else if columns > 1 {
      emit(line: "\u{1b}[\(columns)D")
    }
  }

  mutating func emitName(of writer: Writer) {
    switch writer {
    case .command: emitName(of: .console)
    case .machine(let index):
      if isRaw(index) { return }
      emit(Colour.machine(index))
      emit(line: "\(views[index].name)")
      for _ in views[index].name.count..<nameWidth { emit(0x20) }
      emitBar()
    }
  }

  mutating func emitName(of source: Source) {
    switch source {
    case .console:
      emit(Colour.console)
      emit("roost")
    case .kernel:
      emit(Colour.kernel)
      emit("kernel")
    case .monitor(let index):
      emit(Colour.machine(index))
      emit(line: "vmm \(views[index].name)")
    case .server(let name):
      emit(Colour.console)
      emit(line: "\(name)")
    }
    emitBar()
  }

  mutating func emitBar() {
    emit(" │")
    emit(Colour.reset)
    emit(0x20)
  }
}
