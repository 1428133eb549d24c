// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// Why an IOMMU does not do what it was asked.
package enum IOMMUError: Error, Equatable, Sendable {
  case outOfMemory
  /// Nothing answers where the firmware says an IOMMU is.
  case missing
  case noQueuedInvalidation
  /// There is no form of page tables that all IOMMUs know.
  case noCommonTables
  case timedOut
  /// The IOMMU reports an error in what it was told to forget.
  case invalidationFailed
  /// No IOMMU is for this device.
  case notCovered(FunctionAddress)
  /// This is the address of an interrupt controller too, whose messages nobody may forge.
  case sharedWithController(FunctionAddress)
  case tooManyDomains
  /// Addresses or size are not whole pages, or beyond what the tables can name.
  case badRange
  /// The device could not reach memory there: what it writes there are interrupts, or it is kept for the bus.
  case reservedRange
  case alreadyMapped
  case noFreeInterrupt
  /// The firmware does not say where this I/O APIC's messages come from.
  case unknownController(UInt8)
  /// The device's messages are not remapped: it belongs to no domain.
  case notAttached(FunctionAddress)
  /// The core's number needs more bits than messages have.
  case coreOutOfReach

  /// The sentence that people read.
  package var line: LogLine {
    switch self {
    case .outOfMemory: "IOMMU: no memory is left for its tables"
    case .missing: "IOMMU: nothing answers where the firmware says it is"
    case .noQueuedInvalidation: "IOMMU: it has no invalidation queue"
    case .noCommonTables: "IOMMU: the machine's IOMMUs have no form of page tables in common"
    case .timedOut: "IOMMU: it did not answer within a second"
    case .invalidationFailed: "IOMMU: it reports an error in its queue"
    case .notCovered(let device): "IOMMU: none is for \(device)"
    case .sharedWithController(let device): "IOMMU: \(device) is the address of an interrupt controller too"
    case .tooManyDomains: "IOMMU: it knows no more domains"
    case .badRange: "IOMMU: a range to be mapped is not whole pages, or out of reach"
    case .reservedRange: "IOMMU: a range to be mapped is kept for interrupts or the bus"
    case .alreadyMapped: "IOMMU: a range to be mapped is mapped already"
    case .noFreeInterrupt: "IOMMU: its table of interrupts is full"
    case .unknownController(let id): "IOMMU: the firmware does not say who I/O APIC \(id) is on the bus"
    case .notAttached(let device): "IOMMU: \(device) belongs to no domain"
    case .coreOutOfReach: "IOMMU: a core's number does not fit an interrupt message"
    }
  }
}
