// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// A request that an IOMMU refused.
package struct DMAFault: Equatable, Sendable {
  package enum Reason: Equatable, Sendable {
    /// The device belongs to nobody.
    case notAttached
    /// The address is not mapped, or not for this.
    case notMapped
    /// The address is beyond what any device may name.
    case outOfReach
    /// The tables are not what the IOMMU expects, or it could not read them.
    case badTables
    /// An interrupt message that nobody set up, or somebody else's.
    case badInterrupt
    /// A request of a form that is not allowed.
    case badRequest
    /// The IOMMU could not carry out a command.
    case badCommand
    /// More was refused than the IOMMU could record.
    case unrecorded

    /// The end of a sentence.
    package var sentence: StaticString {
      switch self {
      case .notAttached: "it belongs to nobody"
      case .notMapped: "that is not its memory"
      case .outOfReach: "there is no such address"
      case .badTables: "the IOMMU's tables are damaged"
      case .badInterrupt: "it sent an interrupt that is not its own"
      case .badRequest: "it sent a request of a forbidden form"
      case .badCommand: "the IOMMU refused a command"
      case .unrecorded: "more requests were refused than could be recorded"
      }
    }
  }

  /// Who sent the request; `nil` where the IOMMU cannot say.
  package var source: FunctionAddress?
  /// Where it was to go; of an interrupt, 0.
  package var address: UInt64
  package var isWrite: Bool
  package var reason: Reason
  /// The IOMMU's own number for the reason.
  package var code: UInt8

  /// The sentence that people read.
  package var line: LogLine {
    guard let source else { return "DMA: \(reason.sentence)" }
    guard reason != .badInterrupt else { return "DMA of \(source) stopped: \(reason.sentence) (\(hex: code))" }
    let what: StaticString = isWrite ? "write" : "read"
    return "DMA of \(source) stopped, a \(what) at \(hex: address): \(reason.sentence) (\(hex: code))"
  }
}
