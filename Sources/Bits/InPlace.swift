// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A member that makes the compiler leave the structure it is in where it is.
///
/// Swift 6.3 reads an element of an `InlineArray` in a structure by copying the whole array, or the whole structure,
/// to the stack, unless the structure is being changed. A structure that holds an atomic is only ever worked on in its
/// place. So large structures that are read in many places have one of these.
///
/// On the target the largest of them must live as long as their component: Embedded Swift 6.3 fails to compile the
/// end of a local one, and a `deinit` here is not seen by other modules.
package struct InPlace: ~Copyable {
  private let anchor = Atomic<UInt8>(0)
  package init() {}
}
