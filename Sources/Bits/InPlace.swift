// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A member that makes the compiler leave the structure it is in where it is.
///
/// Swift 6.3 reads an element of an `InlineArray` in a structure by copying the whole array, or the whole structure,
/// to the stack, unless the structure is being changed. A structure that holds an atomic is only ever worked on in its
/// place. So large structures that are read in many places have one of these.
package struct InPlace: ~Copyable {
  private let anchor = Atomic<UInt8>(0)
  package init() {}
  // Without one of its own, Embedded Swift 6.3 fails to compile the end of a large structure's life.
  deinit {}
}
