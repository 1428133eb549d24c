// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A word of intercepts in the VMCB, by its offset (AMD APM volume 2, table B-1).
package enum SVMWord: Int, Sendable {
  /// Reads of CR0 to CR15 in the lower half, writes in the upper.
  case control = 0x000
  /// Likewise of the debug registers.
  case debug = 0x004
  /// Exceptions, by vector.
  case exceptions = 0x008
  case first = 0x00C
  case second = 0x010
  case third = 0x014
}

/// What an instruction or event of a guest's does on AMD SVM.
package enum SVMRule: Sendable, Equatable {
  /// It exits.
  case exits(SVMWord, Int)
  /// It exits where the processor has INVPCID (`SVMIntercepts`).
  case exitsOnNewer(SVMWord, Int)
  /// It could exit by that bit, and need not: it touches nothing but what is the guest's.
  case own(SVMWord, Int)
  /// It could exit by that bit, and need not: what it wants is off, so that it is #UD.
  case undefined(SVMWord, Int)
  /// No bit makes it exit.
  case none
}

/// What it does on Intel VMX.
package enum VMXRule: Sendable {
  /// It exits, by a control of that word.
  case exits(VMXWord, VMXControl)
  /// It exits whatever the controls say.
  case always
  /// It touches nothing but what is the guest's, and must not exit by that control of the processor word.
  case own(VMXControl)
  /// It touches nothing but what is the guest's.
  case ownAlways
  /// The guest/host mask says which of it exits (`ControlRule`).
  case masked
  /// The exception bitmap has it.
  case bitmap
  /// What it wants is off or not there: #UD.
  case undefined
}

/// A word of VMX's controls that makes guests exit.
package enum VMXWord: Sendable {
  case pin, processor, secondary
}

/// An instruction or event that is more than a guest's own computing, and what becomes of it.
package struct GuestIntercept: Sendable {
  package let name: StaticString
  package let svm: SVMRule
  package let vmx: VMXRule

  init(_ name: StaticString, svm: SVMRule, vmx: VMXRule) {
    self.name = name
    self.svm = svm
    self.vmx = vmx
  }

  /// Calls `body` with each row of the table but the exceptions.
  package static func each<Failure: Error>(_ body: (GuestIntercept) throws(Failure) -> Void) throws(Failure) {
    let first = eventsAndRegisters
    for index in 0..<first.count { try body(first[index]) }
    let second = instructions
    for index in 0..<second.count { try body(second[index]) }
    let third = rareInstructions
    for index in 0..<third.count { try body(third[index]) }
  }

  /// Exceptions that exit, by vector: the words of both vendors.
  package static var exceptions: UInt32 {
    let all = exceptionRows
    var word: UInt32 = 0
    for index in 0..<all.count {
      if case .exits(.exceptions, let bit) = all[index].svm { word |= 1 << UInt32(bit) }
    }
    return word
  }
}

/// The words of intercepts that guests run with on AMD SVM.
package struct SVMIntercepts: Sendable, Equatable {
  package private(set) var control: UInt32 = 0
  package private(set) var first: UInt32 = 0
  package private(set) var second: UInt32 = 0
  package private(set) var third: UInt32 = 0

  /// - Parameter watchesCR4: Whether a write of CR4 exits. On processors that have bits of CR4 that guests are not shown;
  ///   those are Zen 3 and later ones, which have INVPCID, so that kernels do not write CR4 to flush translations. On
  ///   others a hidden bit is one that is not there.
  package init(watchesCR4: Bool) {
    GuestIntercept.each { row in
      switch row.svm {
      case .exits(let word, let bit): add(word, bit)
      case .exitsOnNewer(let word, let bit): if watchesCR4 { add(word, bit) }
      case .own, .undefined, .none: break
      }
    }
  }

  private mutating func add(_ word: SVMWord, _ bit: Int) {
    let mask = UInt32(1) << UInt32(bit)
    switch word {
    case .control: control |= mask
    case .first: first |= mask
    case .second: second |= mask
    case .third: third |= mask
    case .debug, .exceptions: break
    }
  }
}
