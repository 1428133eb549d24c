// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The way to the machine's PCI function that a guest has: the kernel, or a test's model.
///
/// What it answers is a claim. What it is asked for comes from the guest: it does what the owner of the function may.
package protocol PhysicalFunction {
  /// Reads `width` bytes (1, 2 or 4) of configuration space at `offset`, a multiple of the width.
  func readConfiguration(_ offset: Int, width: Int) -> UInt32
  /// Writes the 16-bit register at `offset`; only bits that concern this function alone change.
  func writeConfiguration(_ value: UInt16, at offset: Int)
  /// Makes memory range `range` answer at guest address `address`, but for the pages with the table of messages; `nil`
  /// takes it away.
  func map(_ range: Int, at address: UInt64?)
  /// Has the function send interrupts in this way, and no others.
  func select(_ delivery: FunctionDelivery)
  /// Lets a message of the table through, or masks it.
  func setMessage(_ vector: Int, isOpen: Bool)
  /// The guest has seen to the function's line: it may be raised again.
  func acknowledgeLine()
  /// Reads `width` bytes (1, 2 or 4) of port range `range`.
  func readPort(_ range: Int, _ offset: UInt32, width: Int) -> UInt32
  /// Writes `width` bytes (1, 2 or 4) of port range `range`.
  func writePort(_ range: Int, _ offset: UInt32, width: Int, value: UInt32)
}

/// How a function sends its interrupts.
package enum FunctionDelivery: Equatable, Sendable {
  case none
  case line
  /// One message (MSI).
  case message
  /// Messages of a table (MSI-X).
  case table
}

/// What a base address register of the machine's function decodes, as whole pages where it is memory.
package enum FunctionRange: Equatable, Sendable {
  case none
  case io(size: UInt32)
  case memory(size: UInt32)
  /// Takes two registers.
  case memory64(size: UInt64)

  /// Bytes.
  package var size: UInt64 {
    switch self {
    case .none: 0
    case .io(let size), .memory(let size): UInt64(size)
    case .memory64(let size): size
    }
  }
}
