// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// What a function can do beyond the least, as far as this program uses it.
///
/// Of several capabilities of one kind the first counts. One that does not fit where it says it is does not exist.
package struct Capabilities: Equatable, Sendable {
  package var power: PowerCapability?
  package var messages: MSICapability?
  package var messageTable: MSIXCapability?
  package var express: ExpressCapability?
  /// Only if they include a reset.
  package var advanced: AdvancedCapability?
  package var isolation: IsolationCapability?
  /// Where the vital product data are (identifier 3).
  package var productData: Int?
  /// Where address translation services are (extended identifier 0xF): a function that has these on sends addresses that
  /// the IOMMU does not check.
  package var addressTranslation: Int?
  /// Whether a list was longer than it can be, or one of the capabilities impossible.
  package var isMalformed = false

  package init() {}
}

/// Power management (identifier 1).
package struct PowerCapability: Equatable, Sendable {
  package var offset: Int
  /// Whether the function comes back from D3 as it was: then going there resets nothing.
  package var keepsState: Bool
}

/// Advanced features of a conventional function (identifier 0x13): its own reset.
package struct AdvancedCapability: Equatable, Sendable {
  package var offset: Int
  /// Whether it says when all that it began has ended.
  package var tellsPending: Bool
}

/// Message-signalled interrupts (identifier 5).
package struct MSICapability: Equatable, Sendable {
  package var offset: Int
  package var isWide: Bool
  package var canMask: Bool
  /// Messages that the function can tell apart: 1 to 32.
  package var count: Int
}

/// A table of interrupt messages (identifier 0x11).
package struct MSIXCapability: Equatable, Sendable {
  package var offset: Int
  /// Entries of the table: 1 to 2048.
  package var count: Int
  /// The range that holds the table, and where in it.
  package var tableRange: Int
  package var tableOffset: UInt64
  /// The range that holds the pending bits, and where in it.
  package var pendingRange: Int
  package var pendingOffset: UInt64
}

/// PCI Express (identifier 0x10).
package struct ExpressCapability: Equatable, Sendable {
  /// What a function is in the tree (PCI Express 6.0, §7.5.3.2).
  package enum Role: UInt8, Sendable {
    case endpoint = 0
    case legacyEndpoint = 1
    case rootPort = 4
    case upstreamPort = 5
    case downstreamPort = 6
    case bridgeToConventional = 7
    case bridgeFromConventional = 8
    case integratedEndpoint = 9
    case eventCollector = 10
  }

  package var offset: Int
  /// `nil` for one of the future.
  package var role: Role?
  package var version: UInt8
  /// Whether it has a function-level reset.
  package var canReset: Bool

  /// Whether a link with a single device lies behind it.
  var leadsToOneDevice: Bool { role == .rootPort || role == .downstreamPort }
}

/// Access control services (extended identifier 0xD): whether requests between devices must go up to the IOMMU.
package struct IsolationCapability: Equatable, Sendable {
  package var offset: Int
  package var offered: IsolationFlags
  package var enabled: IsolationFlags
}

extension ConfigurationAccess {
  /// Calls `body` with identifier and offset of each capability in the list (PCI Express 6.0, §7.5.1.1.11).
  ///
  /// - Returns: Whether the list ends.
  package func eachCapability(of function: FunctionAddress, _ body: (UInt8, Int) -> Void) -> Bool {
    guard read16(function, Register.status) & 1 << 4 != 0 else { return true }
    var offset = Int(read8(function, Register.capabilities)) & 0xfc
    // No more than 48 have room.
    for _ in 0..<48 {
      guard offset != 0 else { return true }
      guard offset >= Register.firstCapability else { return false }
      let header = read16(function, offset)
      guard header != 0xffff else { return false }
      body(UInt8(truncatingIfNeeded: header), offset)
      offset = Int(header >> 8) & 0xfc
    }
    return offset == 0
  }

  /// Calls `body` with identifier and offset of each extended capability (§7.6.3).
  ///
  /// - Returns: Whether the list ends.
  package func eachExtendedCapability(of function: FunctionAddress, _ body: (UInt16, Int) -> Void) -> Bool {
    guard reach(function) >= Register.spaceSize else { return true }
    var offset = Register.firstExtended
    for _ in 0..<480 {
      let header = read32(function, offset)
      // An empty list is a header of zeros; of ones, where a window leads to a conventional function.
      guard header != 0, header != .max else { return true }
      body(UInt16(truncatingIfNeeded: header), offset)
      offset = Int(header >> 20) & 0xffc
      guard offset != 0 else { return true }
      guard offset >= Register.firstExtended else { return false }
    }
    return false
  }
}
