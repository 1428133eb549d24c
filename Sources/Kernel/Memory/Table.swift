// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Synchronization

/// A table of fixed length in memory that was set aside at boot and is never given back.
///
/// Copies of a `Table` are the same table. An element belongs to the core its type names as the owner; what others may
/// touch is `Atomic`.
@safe
struct Table<Element: ~Copyable> {
  fileprivate let base: UnsafeMutablePointer<Element>
  let count: Int

  /// - Precondition: `base` holds `count` initialised elements, for good.
  init(unsafeBase base: UnsafeMutablePointer<Element>, count: Int) {
    unsafe self.base = base
    self.count = count
  }

  subscript(_ index: Int) -> Element {
    unsafeAddress {
      precondition(index >= 0 && index < count)
      // SAFETY: the index is inside the table, checked above.
      return unsafe UnsafePointer(base + index)
    }
    nonmutating unsafeMutableAddress {
      precondition(index >= 0 && index < count)
      // SAFETY: the index is inside the table, checked above.
      return unsafe base + index
    }
  }
}

extension Table where Element: Copyable {
  /// All elements.
  var span: Span<Element> {
    @_lifetime(borrow self)
    get {
      // SAFETY: the table holds `count` elements for as long as the kernel lives.
      let span = unsafe Span(_unsafeStart: UnsafePointer(base), count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }
}

extension Table where Element: Copyable {
  /// Does something with all elements, at boot.
  func change(_ body: (inout MutableSpan<Element>) -> Void) {
    // SAFETY: as in `span`; at boot nobody else looks.
    var span = unsafe MutableSpan(_unsafeStart: base, count: count)
    body(&span)
  }
}

extension Table where Element: ~Copyable {
  /// The element `index` alone.
  func cell(_ index: Int) -> Cell<Element> {
    precondition(index >= 0 && index < count)
    // SAFETY: the index is inside the table, checked above.
    return unsafe Cell(unsafePointer: base + index)
  }
}

/// One value in memory that was set aside at boot and is never given back: a page shared with a component, a core.
@safe
struct Cell<Value: ~Copyable> {
  private let pointer: UnsafeMutablePointer<Value>

  /// - Precondition: `pointer` holds an initialised value, for good.
  init(unsafePointer pointer: UnsafeMutablePointer<Value>) {
    unsafe self.pointer = pointer
  }

  var value: Value {
    // SAFETY: the value lives as long as the kernel.
    unsafeAddress { unsafe UnsafePointer(pointer) }
    nonmutating unsafeMutableAddress { unsafe pointer }
  }

  /// Where a value in memory that the direct map holds is for the processor.
  var physicalAddress: PhysicalAddress { PhysicalAddress(address - DirectMap.base) }

  /// Where the value is in the kernel's address space.
  // SAFETY: the pointer is only looked at, not followed.
  var address: UInt64 { unsafe UInt64(UInt(bitPattern: pointer)) }
}
