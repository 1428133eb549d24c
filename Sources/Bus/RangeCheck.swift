// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
package import Firmware

/// Why a function's ranges cannot be handed to anybody.
package enum RangeProblem: Error, Equatable, Sendable {
  /// The register says nothing that makes sense.
  case malformed(range: Int)
  /// Firmware gave it no place.
  case unassigned(range: Int)
  /// It ends beyond what a processor or a port can name.
  case outOfReach(range: Int)
  /// It lies over memory or over what the machine keeps for itself.
  case taken(range: Int)
  /// This bridge above the function passes nothing on to there.
  case outsideWindow(range: Int, FunctionAddress)
  /// It lies over a range of this function.
  case overlaps(range: Int, FunctionAddress)
  /// It shares a page, which cannot be divided, with a range of this function.
  case sharesPage(range: Int, FunctionAddress)

  /// The sentence that people read, of the function at `address`.
  package func line(of address: FunctionAddress) -> LogLine {
    switch self {
    case .malformed(let range): "\(address): base address \(range) makes no sense"
    case .unassigned(let range): "\(address): the firmware gave base address \(range) no place"
    case .outOfReach(let range): "\(address): base address \(range) leads beyond the end of the address space"
    case .taken(let range): "\(address): base address \(range) lies over memory or the machine's own devices"
    case .outsideWindow(let range, let bridge):
      "\(address): base address \(range) lies where the bridge \(bridge) passes nothing on"
    case .overlaps(let range, let other): "\(address): base address \(range) lies over a range of \(other)"
    case .sharesPage(let range, let other): "\(address): base address \(range) shares a page with \(other)"
    }
  }
}

extension Span<PCIFunction> {
  /// Checks the ranges of function `index`: that each has a place, and to itself.
  ///
  /// Ports that firmware gave no place are as if they were not there: no driver of today needs them.
  ///
  /// - Parameters:
  ///   - taken: Where no device may be that is given away.
  ///   - isSameOwner: Whether the function at this position goes to the same owner: then the two may share a page.
  package func checkRanges(
    of index: Int, _ taken: TakenRanges, isSameOwner: (Int) -> Bool = { _ in false }
  ) throws(RangeProblem) {
    for range in 0..<6 {
      let base = self[index].ranges[range]
      switch base.kind {
      case .none, .upperHalf: continue
      case .malformed: throw .malformed(range: range)
      case .io where !self[index].usesPorts: continue
      case .io:
        try checkPlace(base, range, below: 0x1_0000)
        guard !taken.holds(ports: base.address..<base.address + base.size) else { throw .taken(range: range) }
      case .memory, .memory64:
        try checkPlace(base, range, below: MemoryMap.end)
        guard !taken.holds(base.pages) else { throw .taken(range: range) }
      }
      try checkWindows(of: index, range, base)
      try checkNeighbours(of: index, range, base, isSameOwner)
    }
  }

  private func checkPlace(_ base: BaseAddress, _ range: Int, below end: UInt64) throws(RangeProblem) {
    guard base.address != 0 else { throw .unassigned(range: range) }
    guard fits(base.address, count: base.size, in: end) else { throw .outOfReach(range: range) }
  }

  /// Of all bridges above one is the machine's own at least, and each passes on only what all above it do.
  private func checkWindows(of index: Int, _ range: Int, _ base: BaseAddress) throws(RangeProblem) {
    var closed: FunctionAddress?
    eachAncestor(of: index) { bridge in
      if closed == nil, !self[bridge].windows.pass(base) { closed = self[bridge].address }
    }
    if let closed { throw .outsideWindow(range: range, closed) }
  }

  private func checkNeighbours(
    of index: Int, _ range: Int, _ base: BaseAddress, _ isSameOwner: (Int) -> Bool
  ) throws(RangeProblem) {
    for other in 0..<count {
      // A ROM answers only while it is switched on, which nobody does.
      for otherRange in 0..<6 where other != index || otherRange > range {
        let neighbour = self[other].ranges[otherRange]
        guard neighbour.size > 0, neighbour.address != 0, neighbour.isMemory == base.isMemory else { continue }
        if base.overlaps(neighbour) { throw .overlaps(range: range, self[other].address) }
        if other != index, base.isMemory, base.sharesPage(neighbour), !isSameOwner(other) {
          throw .sharesPage(range: range, self[other].address)
        }
      }
    }
  }
}

extension PCIFunction {
  /// Whether it answers at ports: only if firmware gave all of them a place, since they are switched on together.
  package var usesPorts: Bool {
    var count = 0
    for range in 0..<6 where ranges[range].kind == .io {
      guard ranges[range].address != 0 else { return false }
      count += 1
    }
    return count > 0
  }

  /// The function as it can be handed over: without ports that it does not use.
  package var handedOver: PCIFunction {
    guard !usesPorts else { return self }
    var function = self
    for range in 0..<6 where ranges[range].kind == .io { function.ranges[range] = BaseAddress() }
    return function
  }
}

extension BaseAddress {
  /// The whole pages that it touches: what a page table can map of it.
  package var pages: PhysicalRange {
    let start = address.roundedDown(to: MemoryMap.pageSize)
    let end = (address &+ size).roundedUp(to: MemoryMap.pageSize) ?? 0
    return PhysicalRange(start: PhysicalAddress(start), size: end &- start)
  }

  /// Sizes are powers of two and addresses multiples of them: of two that overlap, one holds the other.
  func overlaps(_ other: BaseAddress) -> Bool {
    let larger = max(size, other.size)
    return larger > 0 && address.roundedDown(to: larger) == other.address.roundedDown(to: larger)
  }

  func sharesPage(_ other: BaseAddress) -> Bool {
    let larger = max(max(size, other.size), MemoryMap.pageSize)
    return address.roundedDown(to: larger) == other.address.roundedDown(to: larger)
  }
}
