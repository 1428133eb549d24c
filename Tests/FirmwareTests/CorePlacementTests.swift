// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Firmware

/// Which core a domain has when some do not run.
struct CorePlacementTests {
  private static let vm: DomainTraits = .hasVirtualCPU
  private static let flexible: DomainTraits = .hasVirtualCPU | .mayMove

  private static func domain(_ core: UInt16, _ traits: DomainTraits) -> DomainRecord {
    DomainRecord(name: "d", program: 0, core: core, priority: 3, traits: traits, onCrash: .stop)
  }

  /// The places of domains on a machine with these cores.
  private static func places(_ domains: [DomainRecord], on running: [Int]) throws -> [CorePlace] {
    var plan = ImagePlan()
    plan.domains += domains
    plan.domains[1].core = 0
    let content = plan.written()
    var cores = CoreSet()
    for core in running { cores.insert(core) }
    let placement = CorePlacement(try BootImage(content.span.bytes), on: cores)
    return domains.indices.map { placement[2 + $0] }
  }

  @Test func `where all cores run each domain has its own`() throws {
    let places = try Self.places([Self.domain(3, Self.vm), Self.domain(1, Self.flexible)], on: [0, 1, 2, 3])

    #expect(places == [CorePlace(core: 3, fate: .asDescribed), CorePlace(core: 1, fate: .asDescribed)])
  }

  @Test func `a VM whose core does not run stays off, unless it may move`() throws {
    let places = try Self.places([Self.domain(2, Self.vm), Self.domain(2, Self.flexible)], on: [0, 1])

    #expect(places == [CorePlace(core: 0, fate: .refused), CorePlace(core: 1, fate: .moved)])
  }

  @Test func `those that move go where the fewest vCPUs are`() throws {
    // Core 0 has the vCPU of `ImagePlan`, core 1 one of these, core 2 none.
    let places = try Self.places(
      [Self.domain(1, Self.vm)] + (0..<4).map { _ in Self.domain(9, Self.flexible) }, on: [0, 1, 2])

    #expect(places.map(\.core) == [1, 2, 0, 1, 2])
    #expect(places.dropFirst().allSatisfy { $0.fate == .moved })
  }

  @Test func `a server that moves counts for nothing, and goes to the emptiest core`() throws {
    let places = try Self.places(
      [Self.domain(7, .mayMove), Self.domain(7, .mayMove), Self.domain(7, Self.flexible)], on: [0, 4])

    #expect(places.map(\.core) == [4, 4, 4])
  }

  /// Cores 0 and 1 are threads of one, as 2 and 3 are; who stays off, and beside whom.
  private static func separated(_ domains: [DomainRecord]) throws -> (fates: [CorePlace.Fate], pairs: [[Int]]) {
    var plan = ImagePlan()
    plan.domains += domains
    // Of the plan's own, the server is on core 0, the VM on a core far away.
    for index in 0..<2 {
      let isVM = DomainTraits(rawValue: plan.domains[index].traits).contains(.hasVirtualCPU)
      plan.domains[index].core = isVM ? 40 : 0
    }
    let content = plan.written()
    var cores = CoreSet()
    for core in Array(0..<8) + [40] { cores.insert(core) }
    let image = try BootImage(content.span.bytes)
    var placement = CorePlacement(image, on: cores)
    var pairs: [[Int]] = []
    placement.separate(image) {
      $0 / 2 == $1 / 2
    } _: {
      pairs.append([$0 - 2, $1 - 2])
    }
    return (domains.indices.map { placement[2 + $0].fate }, pairs)
  }

  @Test func `of two VMs on the threads of one core the second stays off, and a third has it with nobody`() throws {
    let (fates, pairs) = try Self.separated([
      Self.domain(2, Self.vm), Self.domain(3, Self.vm), Self.domain(3, Self.vm), Self.domain(4, Self.vm),
    ])
    #expect(fates == [.asDescribed, .exposed, .exposed, .asDescribed])
    #expect(pairs == [[1, 0], [2, 0]])
  }

  @Test func `beside a server no VM runs, and on the server's own thread any does`() throws {
    let (fates, pairs) = try Self.separated([
      Self.domain(1, Self.vm), Self.domain(0, Self.vm), Self.domain(6, Self.vm), Self.domain(7, .mayMove),
    ])
    #expect(fates == [.exposed, .asDescribed, .exposed, .asDescribed])
    #expect(pairs.map { $0[0] } == [0, 2] && pairs[1] == [2, 3])
  }

  @Test func `two VMs on one thread take turns, and both run`() throws {
    let (fates, pairs) = try Self.separated([Self.domain(2, Self.vm), Self.domain(2, Self.vm)])
    #expect(fates == [.asDescribed, .asDescribed] && pairs.isEmpty)
  }

  @Test func `with core 0 alone all that may move are there`() throws {
    let places = try Self.places((0..<30).map { Self.domain(34 + $0, Self.flexible) }, on: [0])

    #expect(places.allSatisfy { $0 == CorePlace(core: 0, fate: .moved) })
  }

  @Test func `the image says how many cores it is for`() throws {
    let content = ImagePlan().written()

    #expect(CorePlacement.coreCount(of: try BootImage(content.span.bytes)) == 64)
  }

  @Test func `numbers that are no cores are in no set`() {
    var cores = CoreSet()
    for core in [-1, 64, .max, .min, 63] { cores.insert(core) }

    #expect(cores.count == 1)
    #expect(cores.contains(63))
    #expect(!cores.contains(-1) && !cores.contains(64) && !cores.contains(.max))
  }
}
