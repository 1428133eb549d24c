// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A segment register, in the order of instructions.
package enum SegmentName: UInt8, Sendable {
  case es = 0
  case cs = 1
  case ss = 2
  case ds = 3
  case fs = 4
  case gs = 5
}

/// Where the guest's segments begin.
package struct SegmentBases: Equatable, Sendable {
  package var es: UInt64 = 0
  package var cs: UInt64 = 0
  package var ss: UInt64 = 0
  package var ds: UInt64 = 0
  package var fs: UInt64 = 0
  package var gs: UInt64 = 0

  package init() {}

  /// Where `segment` begins. 64-bit code ignores all bases but those of FS and GS (AMD APM volume 2, §4.5.3).
  package func base(of segment: SegmentName, in code: CodeSize) -> UInt64 {
    switch segment {
    case .fs: fs
    case .gs: gs
    case _ where code == .bits64: 0
    case .es: es
    case .cs: cs
    case .ss: ss
    case .ds: ds
    }
  }
}

/// How an instruction says where its operand is.
package struct MemoryOperand: Equatable, Sendable {
  /// What the sum of the address starts from.
  package enum Base: Equatable, Sendable {
    case none
    case register(UInt8)
    /// The address of the next instruction.
    case nextInstruction
  }

  package var segment: SegmentName
  package var base = Base.none
  /// The register that `scale` multiplies.
  package var index: UInt8?
  /// 1, 2, 4 or 8.
  package var scale: UInt64 = 1
  package var displacement: UInt64 = 0
  /// To what the sum is cut.
  package var addressSize: Width

  package init(segment: SegmentName, addressSize: Width) {
    self.segment = segment
    self.addressSize = addressSize
  }

  /// The offset in the segment.
  package func offset(registers: InlineArray<16, UInt64>, nextRIP: UInt64) -> UInt64 {
    var sum = displacement
    switch base {
    case .none: break
    case .register(let number): sum &+= registers[Int(number & 15)]
    case .nextInstruction: sum &+= nextRIP
    }
    if let index { sum &+= registers[Int(index & 15)] &* scale }
    return addressSize.truncate(sum)
  }

  /// The linear address; 32 bits of it count outside 64-bit code.
  package func linearAddress(
    registers: InlineArray<16, UInt64>, nextRIP: UInt64, bases: SegmentBases, code: CodeSize
  ) -> UInt64 {
    linear(segment, offset(registers: registers, nextRIP: nextRIP), bases: bases, code: code)
  }
}

/// The linear address of `offset` in `segment`.
func linear(_ segment: SegmentName, _ offset: UInt64, bases: SegmentBases, code: CodeSize) -> UInt64 {
  let sum = bases.base(of: segment, in: code) &+ offset
  return code == .bits64 ? sum : Width.doubleword.truncate(sum)
}
