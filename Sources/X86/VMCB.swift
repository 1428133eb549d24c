// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// A field of the VMCB: where it is and how wide.
package struct VMCBField<Width: FixedWidthInteger & BitwiseCopyable>: Sendable {
  package let offset: Int
  package init(_ offset: Int) { self.offset = offset }
}

/// AMD's virtual machine control block: a page that VMRUN reads and an exit writes.
@safe
package struct VMCB {
  /// The page itself, as the processor is told.
  package let address: PhysicalAddress
  private let base: UnsafeMutableRawPointer

  /// - Precondition: `base` maps the page at `address` for good.
  package init(address: PhysicalAddress, unsafeBase base: UnsafeMutableRawPointer) {
    self.address = address
    unsafe self.base = base
  }

  package subscript<Width>(_ field: VMCBField<Width>) -> Width {
    // SAFETY: every field's offset and width lie inside the page (VMCB+Layout.swift).
    get { unsafe base.load(fromByteOffset: field.offset, as: Width.self) }
    nonmutating set { unsafe base.storeBytes(of: newValue, toByteOffset: field.offset, as: Width.self) }
  }
}

/// A segment register in the VMCB: selector, attributes, limit, base, in 16 bytes.
package struct VMCBSegment: Sendable {
  package let offset: Int
  package init(_ offset: Int) { self.offset = offset }
  package var selector: VMCBField<UInt16> { VMCBField(offset) }
  package var attributes: VMCBField<UInt16> { VMCBField(offset + 2) }
  package var limit: VMCBField<UInt32> { VMCBField(offset + 4) }
  package var base: VMCBField<UInt64> { VMCBField(offset + 8) }
}
