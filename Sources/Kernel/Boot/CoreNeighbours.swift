// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Firmware
import Processors
import Speculation

/// Says which VMs run on hyper-threads of one core: each slows the other down, and what one does can be measured by the
/// other.
struct CoreNeighbours: ~Escapable {
  private let reader: BootImage
  private let placement: CorePlacement
  private let cores: Table<Core>
  private let threads: ThreadLayout

  @_lifetime(copy reader)
  init(_ reader: BootImage, _ placement: CorePlacement, _ cores: Table<Core>, _ threads: ThreadLayout) {
    self.reader = reader
    self.placement = placement
    self.cores = cores
    self.threads = threads
  }

  /// - Parameters:
  ///   - count: How many cores the description could name.
  ///   - number: The number of a core's processor.
  func report(_ count: Int, _ number: (Int) -> UInt32) {
    guard reader.threads != .share else { return }
    for first in 0..<reader.count(.domains) {
      for second in first + 1..<max(reader.count(.domains), first + 1) where shareACore(first, second) {
        let (left, right) = (reader.domain(first).name, reader.domain(second).name)
        let (its, others) = (placement[first].core, placement[second].core)
        log(.warning, "\(left) on core \(its) and \(right) on core \(others) share one physical core")
        guard let free = threads.freeCore(count, number, isUsed: { isUsed($0) }) else { continue }
        log(.warning, "  core \(free) is on a physical core that no VM uses")
      }
    }
  }

  /// Whether two domains are VMs on two cores that are one.
  private func shareACore(_ first: Int, _ second: Int) -> Bool {
    let (its, others) = (placement[first].core, placement[second].core)
    guard isRunning(first), isRunning(second), its != others else { return false }
    return threads.isOneCore(cores[its].apicID, cores[others].apicID)
  }

  /// Whether a domain is a VM that has a core.
  private func isRunning(_ index: Int) -> Bool {
    DomainTraits(rawValue: reader.domain(index).traits).contains(.hasVirtualCPU) && placement[index].runs
  }

  private func isUsed(_ core: Int) -> Bool {
    for index in 0..<reader.count(.domains) where isRunning(index) && placement[index].core == core { return true }
    return false
  }
}

extension CorePlacement {
  /// Has VMs stay off that could be looked at, or could look, by the other thread of their core, unless the description
  /// takes that.
  mutating func separate(_ reader: borrowing BootImage, _ host: BootHost, _ cores: Table<Core>) {
    guard reader.threads == .refuse, host.speculation.plan.leaksBetweenThreads else { return }
    let threads = host.machine.threads
    separate(reader) {
      threads.isOneCore(cores[$0].apicID, cores[$1].apicID)
    } _: { refused, beside in
      let (left, right) = (reader.domain(refused).name, reader.domain(beside).name)
      log(.error, "\(left): another thread of its core has \(right), and this processor leaks between threads")
      log(.information, "  give it another core, or write 'threads: warn' in 'machine'")
    }
  }
}
