// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The stacks of what a core can meet anywhere, its own stack's end included. They lie below that stack, each above
/// memory that is not mapped:
///
///   0        nothing        16 KiB   .nonMaskable    32 KiB   nothing       48 KiB   .doubleFault
///   64 KiB   nothing        80 KiB   .machineCheck   96 KiB   nothing      128 KiB   the core's stack    256 KiB
enum TrapStack: UInt64 {
  case nonMaskable = 1
  case doubleFault
  case machineCheck

  static var size: UInt64 { 16 * .KiB }

  /// The stack of `vector`'s gate; `nil` for the one that is in use.
  init?(vector: Int) {
    switch vector {
    case 2: self = .nonMaskable
    case 8: self = .doubleFault
    case 18: self = .machineCheck
    default: return nil
    }
  }

  /// The stack whose number is `index` + 1, for all below `count`.
  init?(index: Int) { self.init(rawValue: UInt64(index) + 1) }

  static var count: Int { 3 }

  /// Its number in the gate and in the task-state segment.
  var number: UInt64 { rawValue }

  /// Where the processor begins to push: the last two words of a `cx86_frame` are not the processor's, but a handler
  /// that copies the frame reads them.
  func start(ofCore index: Int) -> UInt64 { top(ofCore: index) - 16 }

  /// The first byte above the stack of core `index`.
  func top(ofCore index: Int) -> UInt64 {
    CoreMemory.stackTop(index) - KernelSpace.stackStride + 2 * number * Self.size
  }
}
