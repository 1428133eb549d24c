// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// Which part of a disk somebody wants.
package enum DiskSelector: Equatable, Sendable {
  case wholeDisk
  case partition(PartitionSelector)
}

/// What a partition is called by.
package enum PartitionSelector: Equatable, Sendable {
  case number(UInt32)
  /// Its GPT name.
  case name(PartitionName)
  case identifier(PartitionIdentifier)
}

/// Why a partition cannot be had.
package enum LookupError: Error, Equatable, Sendable {
  case table(TableFailure)
  case chain(ChainProblem)
  case missing
  /// More than one partition is called that.
  case ambiguous
  /// It only holds others.
  case extended
  case unusable(UInt32, PartitionProblem)

  /// What is wrong, as a sentence without its full stop.
  package var line: LogLine {
    switch self {
    case .table(let failure): return "the disk \(failure.line)"
    case .chain(let problem): return "the chain of logical partitions \(problem.phrase)"
    case .missing: return "there is no such partition"
    case .ambiguous: return "more than one partition is called that"
    case .extended: return "it is an extended partition, which only holds others"
    case .unusable(let number, let problem): return "partition \(number) \(problem.line)"
    }
  }
}

extension PartitionTable {
  /// The one sound partition that is called so.
  package func find(_ selector: PartitionSelector) throws(LookupError) -> Partition {
    if let failure { throw .table(failure) }
    var found: Int?
    for index in 0..<count where self[index].isCalled(selector) {
      guard found == nil else { throw .ambiguous }
      found = index
    }
    guard let found else {
      if let chainProblem, isLogical(selector) { throw .chain(chainProblem) }
      throw .missing
    }
    guard !self[found].isExtended else { throw .extended }
    if let problem = self[found].problem { throw .unusable(self[found].number, problem) }
    return self[found]
  }

  /// Whether a logical partition is meant.
  private func isLogical(_ selector: PartitionSelector) -> Bool {
    switch selector {
    case .number(let number), .identifier(.mbr(_, let number)): number >= MasterBootRecord.firstLogical
    default: false
    }
  }
}

extension Partition {
  fileprivate func isCalled(_ selector: PartitionSelector) -> Bool {
    switch selector {
    case .number(let number): self.number == number
    case .name(let name): name.count > 0 && self.name == name
    case .identifier(let identifier): self.identifier == identifier
    }
  }
}

extension LogLine {
  /// Another line, as part of this one.
  fileprivate mutating func appendInterpolation(_ other: LogLine) {
    for index in 0..<other.count { append(byte: other.bytes[index]) }
  }
}
