// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

// The tree that the scan's functions form. All of this works on the whole table of found functions; positions are
// indices into it.

extension Span<PCIFunction> {
  /// The position of the function at `address`.
  package func index(of address: FunctionAddress) -> Int? {
    for index in 0..<count where self[index].address == address { return index }
    return nil
  }

  /// The position of the bridge that leads to the bus of `index`; `nil` on a root's bus.
  package func parent(of index: Int) -> Int? {
    let address = self[index].address
    for other in 0..<count {
      let candidate = self[other].address
      // A bridge to a bus before its own would make a loop: firmware numbers upwards (PCI Express 6.0, §7.3).
      guard let bridge = self[other].bridge, bridge.secondary == address.bus, candidate.segment == address.segment,
        candidate.bus < address.bus
      else { continue }
      return other
    }
    return nil
  }

  /// Calls `body` with each bridge on the way from `index` up to its root, the nearest first.
  func eachAncestor(of index: Int, _ body: (Int) -> Void) {
    var current = index
    // Each one is on a lower bus than the one before, so this ends.
    while let parent = parent(of: current) {
      body(parent)
      current = parent
    }
  }

  /// The buses behind the bridge at `address`, its own first; `nil` if there is no bridge, or nothing behind it.
  package func buses(behind address: FunctionAddress) -> ClosedRange<UInt8>? {
    guard let index = index(of: address), let bridge = self[index].bridge, bridge.contains(bridge.secondary) else {
      return nil
    }
    return bridge.secondary...bridge.subordinate
  }

  /// Calls `body` with each address that requests of function `index` may carry: its own, and those that bridges to and
  /// from conventional buses put in its place.
  ///
  /// - Complexity: O(functions × depth).
  package func eachRequester(of index: Int, _ body: (FunctionAddress) -> Void) {
    body(self[index].address)
    eachAncestor(of: index) { above in
      let bridge = self[above]
      switch bridge.capabilities.express.map({ $0.role }) {
      case .some(.rootPort), .some(.upstreamPort), .some(.downstreamPort): break
      case .some(.bridgeToConventional):
        // Bus and number 0 of the bus behind (PCI Express to PCI Bridge 1.0, §2.3).
        body(
          FunctionAddress(
            segment: bridge.address.segment, bus: bridge.bridge?.secondary ?? bridge.address.bus, device: 0,
            function: 0))
        body(bridge.address)
      default: body(bridge.address)
      }
    }
  }
}
