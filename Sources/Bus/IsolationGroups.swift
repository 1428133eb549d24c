// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import PCI

// An IOMMU checks what reaches it. Functions share a group if one may reach another before that:
//
//   functions of one device       unless both declare, by access control services, that requests between them go up
//   what lies below one port      unless that port, and each above it, sends everything up (PCI Express 6.0, §6.12)
//   what lies behind a bridge     to or from a conventional bus: there all hear all, and share a requester's address
//
// Who is given one function of a group is given, as far as walls go, all of them.

extension MutableSpan<PCIFunction> {
  /// Sets `group` of each function in the table; `enableIsolation` comes before.
  ///
  /// - Complexity: O(functions³) at worst, for a table of 256 in which all are one group; in practice O(functions²).
  @_lifetime(self: copy self)
  package mutating func assignGroups() {
    for index in 0..<count { self[index].group = index }
    for index in 0..<count {
      joinAncestors(of: index)
      joinSiblings(of: index)
    }
  }

  @_lifetime(self: copy self)
  private mutating func joinAncestors(of index: Int) {
    var current = index
    while let parent = span.parent(of: current) {
      // Joined from here, what lies further up takes part by its own turn.
      guard !span.isIsolating(parent) else { return }
      join(index, parent)
      current = parent
    }
  }

  @_lifetime(self: copy self)
  private mutating func joinSiblings(of index: Int) {
    guard span.mayReachSiblings(index) else { return }
    for other in 0..<index {
      guard self[other].address.isSameDevice(as: self[index].address), span.mayReachSiblings(other) else { continue }
      join(index, other)
    }
  }

  @_lifetime(self: copy self)
  private mutating func join(_ left: Int, _ right: Int) {
    let old = self[left].group
    let new = self[right].group
    guard old != new else { return }
    for index in 0..<count where self[index].group == old { self[index].group = new }
  }
}

extension Span<PCIFunction> {
  /// Calls `body` with each function that must go where the one at `index` goes: the others of its group. Bridges stay,
  /// and what is part of the machine; nobody is given one.
  package func eachCompanion(of index: Int, _ body: (Int) -> Void) {
    let group = self[index].group
    for other in 0..<count where other != index {
      let candidate = self[other]
      if candidate.group == group, !candidate.isBridge, !candidate.isPartOfTheMachine { body(other) }
    }
  }

  /// Whether nothing below the bridge at `index` reaches anything but by the IOMMU.
  fileprivate func isIsolating(_ index: Int) -> Bool {
    guard self[index].isIsolatingPort else { return false }
    var isSo = true
    eachAncestor(of: index) { above in if !self[above].isIsolatingPort { isSo = false } }
    return isSo
  }

  fileprivate func mayReachSiblings(_ index: Int) -> Bool {
    let function = self[index]
    guard function.isMultifunction else { return false }
    return !(function.capabilities.isolation?.isComplete ?? false)
  }
}

extension PCIFunction {
  /// Whether it is a port that sends everything up.
  fileprivate var isIsolatingPort: Bool {
    switch capabilities.express?.role {
    case .rootPort, .downstreamPort: capabilities.isolation?.isComplete ?? false
    // It has one link below, and no ports beside it (§6.12.1.2); its functions are looked at as siblings.
    case .upstreamPort: !isMultifunction || (capabilities.isolation?.isComplete ?? false)
    default: false
    }
  }

  /// Switches on what the function has of access control services, and notes it.
  package mutating func enableIsolation<A: ConfigurationAccess>(in access: A) {
    guard var isolation = capabilities.isolation else { return }
    let place = isolation.offset + (hasWideIsolation ? IsolationRegister.wideControl : IsolationRegister.control)
    var wanted = IsolationFlags(rawValue: access.read16(address, place))
    wanted.insert(isolation.offered & .needed)
    // Nobody uses translated addresses, so whoever sends one lies.
    wanted.insert(isolation.offered & .translationBlocking)
    if hasWideIsolation {
      access.write32(UInt32(wanted.rawValue), to: address, place)
    } else {
      access.write16(wanted.rawValue, to: address, place)
    }
    isolation.enabled = IsolationFlags(rawValue: access.read16(address, place))
    capabilities.isolation = isolation
  }
}

extension PCIFunction {
  /// Whether it is a root port of Intel's chipsets of the 100 and 200 series, or of their mobile ones, in which both
  /// registers of access control services have 32 bits (Intel 100 Series datasheet volume 2, §12.1.46).
  private var hasWideIsolation: Bool {
    guard identity.vendor == 0x8086, capabilities.express?.role == .rootPort else { return false }
    switch identity.device {
    case 0xa110...0xa11f, 0xa167...0xa16a, 0xa290...0xa29f, 0xa2e7...0xa2ee, 0x9d10...0x9d1b: return true
    default: return false
    }
  }
}

extension IsolationCapability {
  /// Whether all that can be switched on is; what cannot be is always so (PCI Express 6.0, §7.7.11.2).
  var isComplete: Bool { enabled.contains(offered & .needed) }
}
