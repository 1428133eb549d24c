// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// Follows frame pointers and puts names to return addresses.
enum BackTrace {
  /// Frames that are followed at most.
  private static var depth: Int { 16 }

  /// Calls `body` with each line of the trace: the function at `address`, then its callers.
  ///
  /// - Parameter read: A word of the stack, if it can be read.
  static func walk(
    from address: UInt64, framePointer: UInt64, symbols: PhysicalExtent,
    read: (UInt64) -> UInt64?, _ body: (LogLine) -> Void
  ) {
    body(line(for: address, symbols))
    var frame = framePointer
    for _ in 0..<depth {
      guard frame != 0, let next = read(frame), let caller = read(frame &+ 8), caller != 0 else { return }
      // The call is before its return address.
      body(line(for: caller &- 1, symbols))
      guard next > frame else { return }
      frame = next
    }
  }

  /// "  at Main.run() + 0x12 (0x401234)".
  static func line(for address: UInt64, _ symbols: PhysicalExtent) -> LogLine {
    var line: LogLine = "  at "
    var isKnown = false
    if symbols.size > 0 {
      // SAFETY: the extent is a file of the boot image, checked when that was read and reserved since.
      let bytes = unsafe RawSpan(
        _unsafeStart: DirectMap.pointer(symbols.start), byteCount: Int(symbols.size))
      if let table = SymbolTable(bytes) {
        table.symbol(at: address) { name, offset in
          line.append(printable: name)
          line.appendLiteral(" + 0x")
          line.append(magnitude: offset, radix: 16)
          isKnown = true
        }
      }
    }
    if !isKnown { line.appendLiteral("unknown") }
    line.appendLiteral(" (0x")
    line.append(magnitude: address, radix: 16)
    line.appendLiteral(")")
    return line
  }
}
