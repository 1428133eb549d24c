// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
import CX86

/// A field of the VMCS: its encoding and how wide it is.
package struct VMCSField<Width: FixedWidthInteger & BitwiseCopyable>: Sendable {
  package let encoding: UInt64
  package init(_ encoding: UInt64) { self.encoding = encoding }
}

/// A segment register in the VMCS: four fields, each in a row of its own.
package struct VMCSSegment: Sendable {
  package let index: UInt64
  package init(_ index: UInt64) { self.index = index }
  package var selector: VMCSField<UInt16> { VMCSField(0x0800 + 2 * index) }
  package var limit: VMCSField<UInt32> { VMCSField(0x4800 + 2 * index) }
  package var rights: VMCSField<UInt32> { VMCSField(0x4814 + 2 * index) }
  package var base: VMCSField<UInt64> { VMCSField(0x6806 + 2 * index) }
}

/// Intel's virtual machine control structure: a page whose contents only VMREAD and VMWRITE know, and only for the one
/// that is current on the core.
package struct VMCS: Sendable {
  package let address: PhysicalAddress

  package init(address: PhysicalAddress) { self.address = address }

  /// A field, of this VMCS.
  /// - Precondition: it is the current one, and the processor has the field.
  package subscript<Width>(_ field: VMCSField<Width>) -> Width {
    get { Width(truncatingIfNeeded: cx86_vmread(field.encoding)) }
    nonmutating set {
      let failed = cx86_vmwrite(field.encoding, UInt64(truncatingIfNeeded: newValue))
      precondition(failed == 0)
    }
  }

  /// Makes this the current VMCS of the core.
  package func load() {
    let failed = cx86_vmptrld(address.value)
    precondition(failed == 0)
  }

  /// Writes what the processor keeps of it back to memory; its next entry is its first.
  package func clear() {
    let failed = cx86_vmclear(address.value)
    precondition(failed == 0)
  }
}
