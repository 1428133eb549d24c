// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// One bit of one of VMX's five control words, with the name that people know it by.
package struct VMXControl: Sendable {
  package let mask: UInt32
  package let name: StaticString

  init(_ bit: UInt32, _ name: StaticString) {
    mask = 1 << bit
    self.name = name
  }
}

/// Why a processor's VMX is of no use here.
package enum VMXObstacle: Error {
  /// A control that guests need cannot be set.
  case missing(VMXControl)
  /// A control that must stay clear is always set.
  case forced(VMXControl)
  /// Nested page tables of four levels in cached memory are not to be had.
  case pageTables
  /// No way to make the processor forget translations.
  case invalidation

  package var line: LogLine {
    switch self {
    case .missing(let control):
      "this processor's VMX lacks '\(control.name)'; Intel's since Westmere (2010) have it"
    case .forced(let control):
      "this processor's VMX cannot do without '\(control.name)'"
    case .pageTables: "this processor's VMX has no nested page tables of four levels in write-back memory"
    case .invalidation: "this processor's VMX has no INVEPT"
    }
  }
}

/// One control word in the making: every bit is as the processor wants it, until somebody asks for more.
struct ControlWord {
  private let capability: UInt64
  private(set) var value: UInt32

  init(_ capability: UInt64) {
    self.capability = capability
    value = UInt32(truncatingIfNeeded: capability)
  }

  private func canSet(_ control: VMXControl) -> Bool {
    UInt32(truncatingIfNeeded: capability >> 32) & control.mask != 0
  }

  mutating func require(_ control: VMXControl) throws(VMXObstacle) {
    guard prefer(control) else { throw .missing(control) }
  }

  /// Sets the control where the processor has it. → whether it does
  @discardableResult
  mutating func prefer(_ control: VMXControl) -> Bool {
    guard canSet(control) else { return false }
    value |= control.mask
    return true
  }

  /// Makes sure that the control is clear.
  func forbid(_ control: VMXControl) throws(VMXObstacle) {
    guard value & control.mask == 0 else { throw .forced(control) }
  }
}

extension ControlWord {
  /// Sets the controls by which guests leave as the table wants.
  mutating func require(exitsOf word: VMXWord) throws(VMXObstacle) {
    try GuestIntercept.each { row throws(VMXObstacle) in
      if case .exits(word, let control) = row.vmx { try require(control) }
    }
  }

  /// Makes sure that guests do not leave for what is their own.
  func forbidExits() throws(VMXObstacle) {
    try GuestIntercept.each { row throws(VMXObstacle) in
      if case .own(let control) = row.vmx { try forbid(control) }
    }
  }
}
