// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// Some of a machine's cores, by their numbers from 0.
package struct CoreSet: Equatable, Sendable, BitwiseCopyable {
  private var bits: UInt64 = 0

  package init() {}

  package mutating func insert(_ core: Int) { if core >= 0, core < BootLimits.cores { bits |= 1 << UInt64(core) } }
  package func contains(_ core: Int) -> Bool { core >= 0 && core < BootLimits.cores && bits & 1 << UInt64(core) != 0 }
  package var count: Int { bits.nonzeroBitCount }
}

/// The core that a domain has, and whether that is the one that its description names.
package struct CorePlace: Equatable, Sendable, BitwiseCopyable {
  package enum Fate: Sendable, BitwiseCopyable {
    case asDescribed
    /// Its own core does not run, and it may have another.
    case moved
    /// Its own core does not run, and it may have no other: it never starts, and is a guest of this one in name only.
    case refused
    /// Its core is a thread of one that another has, and threads leak: likewise.
    case exposed
  }

  package var core: Int
  package var fate: Fate

  package init(core: Int, fate: Fate) {
    self.core = core
    self.fate = fate
  }

  /// Whether the domain runs at all.
  package var runs: Bool { fate != .refused && fate != .exposed }
}

/// Which core each domain of a boot image has, on a machine on which some may not run.
///
/// Whoever may move goes to the core with the fewest vCPUs, the lowest of these; core 0 always runs.
package struct CorePlacement {
  private var places: InlineArray<32, CorePlace> = InlineArray(
    repeating: CorePlace(core: 0, fate: .asDescribed))

  /// - Precondition: `running` contains core 0.
  package init(_ image: borrowing BootImage, on running: CoreSet) {
    var load: InlineArray<64, Int> = InlineArray(repeating: 0)
    for index in 0..<image.count(.domains) {
      let domain = image.domain(index)
      let core = Int(domain.core)
      if running.contains(core) {
        places[index] = CorePlace(core: core, fate: .asDescribed)
        if domain.hasVirtualCPU { load[core] += 1 }
      } else {
        places[index].fate = domain.mayMove ? .moved : .refused
      }
    }
    for index in 0..<image.count(.domains) where places[index].fate == .moved {
      for core in 0..<BootLimits.cores where running.contains(core) && load[core] < load[places[index].core] {
        places[index].core = core
      }
      if image.domain(index).hasVirtualCPU { load[places[index].core] += 1 }
    }
  }

  /// Has VMs stay off whose cores are threads of cores that others have: servers, and VMs before them. Servers know the
  /// data of all, so they count as the first.
  /// - Parameters:
  ///   - isOneCore: whether two cores are threads of one.
  ///   - body: hears of each VM that stays off, and of who is beside it.
  package mutating func separate(
    _ image: borrowing BootImage, _ isOneCore: (Int, Int) -> Bool, _ body: (_ refused: Int, _ beside: Int) -> Void
  ) {
    for index in 0..<image.count(.domains) where places[index].runs && image.domain(index).hasVirtualCPU {
      for other in 0..<image.count(.domains) where places[other].runs && places[other].core != places[index].core {
        guard !image.domain(other).hasVirtualCPU || other < index else { continue }
        guard isOneCore(places[index].core, places[other].core) else { continue }
        places[index].fate = .exposed
        body(index, other)
        break
      }
    }
  }

  /// The place of domain `index`.
  package subscript(_ index: Int) -> CorePlace { places[index] }

  /// How many cores an image is for: the highest that one of its domains names, and those before it.
  package static func coreCount(of image: borrowing BootImage) -> Int {
    var count = 1
    for index in 0..<image.count(.domains) { count = max(count, Int(image.domain(index).core) + 1) }
    return count
  }
}

extension DomainRecord {
  fileprivate var hasVirtualCPU: Bool { DomainTraits(rawValue: traits).contains(.hasVirtualCPU) }
  fileprivate var mayMove: Bool { DomainTraits(rawValue: traits).contains(.mayMove) }
}
