// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
package import PCI

/// Who sends an interrupt.
package enum InterruptSource: Equatable, Sendable {
  /// A device, by the address that its requests carry.
  case device(FunctionAddress)
  /// The I/O APIC with this ID in the MADT.
  case ioapic(UInt8)
}

/// Where an interrupt goes.
package struct InterruptTarget: Equatable, Sendable {
  package var vector: UInt8
  package var apicID: UInt32
  package var isLevelTriggered: Bool
  /// Whether it is a non-maskable one, which has no vector.
  package var isNonMaskable = false

  package init(vector: UInt8, apicID: UInt32, isLevelTriggered: Bool = false) {
    self.vector = vector
    self.apicID = apicID
    self.isLevelTriggered = isLevelTriggered
  }

  /// A non-maskable interrupt of a core.
  package static func nonMaskable(apicID: UInt32) -> InterruptTarget {
    var target = InterruptTarget(vector: 0, apicID: apicID)
    target.isNonMaskable = true
    return target
  }

  /// The message that takes an interrupt there without an IOMMU (Intel SDM volume 3, §11.11).
  package func message() throws(IOMMUError) -> InterruptMessage {
    guard apicID < 0xff else { throw .coreOutOfReach }
    return InterruptMessage(
      address: 0xfee0_0000 | UInt64(apicID) << 12,
      data: UInt32(vector) | (isNonMaskable ? 4 << 8 : 0) | (isLevelTriggered ? 0xc000 : 0))
  }
}

extension InterruptTarget {
  /// The redirection entry of an I/O APIC that takes a line's interrupt there without an IOMMU, open.
  package func redirection(isActiveLow: Bool) throws(IOMMUError) -> UInt64 {
    guard apicID < 0xff else { throw .coreOutOfReach }
    return UInt64(apicID) << 56 | redirectionFlags(isActiveLow: isActiveLow) | (isNonMaskable ? 4 << 8 : 0)
  }

  fileprivate func redirectionFlags(isActiveLow: Bool) -> UInt64 {
    UInt64(vector) | (isActiveLow ? 1 << 13 : 0) | (isLevelTriggered ? 1 << 15 : 0)
  }
}

/// An interrupt that has its place in an IOMMU's table.
package struct RemappedInterrupt: Equatable, Sendable {
  /// What is written where to raise it.
  package internal(set) var message: InterruptMessage
  /// Who may: the IOMMU refuses it from anybody else.
  let requester: FunctionAddress
  /// Its entry; `nil` if it is not remapped.
  let index: Int?

  /// The redirection entry of an I/O APIC that raises it, masked (VT-d 4.1, §5.1.5.1): vector in bits 0 to 7, polarity
  /// in 13, trigger in 15, mask in 16; above, the core, or format and index as in the message.
  package func redirection(_ target: InterruptTarget, isActiveLow: Bool) throws(IOMMUError) -> UInt64 {
    guard let index else { return try target.redirection(isActiveLow: isActiveLow) | 1 << 16 }
    return target.redirectionFlags(isActiveLow: isActiveLow) | 1 << 16 | 1 << 48 | UInt64(index & 0x7fff) << 49
      | UInt64(index >> 15 & 1) << 11
  }
}
