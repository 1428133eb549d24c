// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Firmware
import Processors
import Synchronization
import X86

/// The cores that the description uses, those that answer running and waiting for their threads.
struct CoreTable {
  let cores: Table<Core>
  let launches: Table<CoreLaunch>
  /// Those that nobody uses.
  let parking: CoreParking
  /// Those that run, or will when the booting one has done its work.
  let running: CoreSet
  /// Whether the core that boots is none of them: all others of QEMU's TCG change its state while it enters and leaves
  /// guests (decision 14), so where there is one to spare, it is this.
  let sparesBootCore: Bool

  /// As many cores as the highest that a domain names, or as there are; the last pieces of memory that must lie below
  /// 4 GiB are theirs.
  static func make(
    _ reader: borrowing BootImage, _ host: BootHost, _ clock: Clock, _ local: LocalAPIC, _ memory: inout BootMemory
  ) throws(BootError) -> CoreTable {
    let wanted = CorePlacement.coreCount(of: reader)
    let there = host.machine.topology.processorCount
    if wanted > there { log(.error, "the description is for \(wanted) cores; this machine has \(there)") }
    let count = max(min(wanted, there), 1)
    var spares = host.features.isTranslated && count < there
    let gates = try memory.bytes(4096, for: .tables)
    CoreSetup.fillGates(gates, host.support)
    let common = CoreCommon(
      gates: gates, clock: clock, features: host.features, support: host.support, space: host.space, local: local,
      rules: .own, descriptors: try CoreDescriptors(&memory), topology: try memory.cell(host.machine.topology))
    let launches = try BootMemory.table(count, in: &memory) { index, memory throws(BootError) in
      CoreLaunch(
        index: index, apicID: host.machine.apicID(ofCore: index, sparingThis: spares),
        memory: try CoreMemory(index, &memory, space: host.space, descriptors: common.descriptors), common: common)
    }
    let running = start(launches, isBootCoreSpared: &spares, host)
    let cores = try BootMemory.table(count, in: &memory) { index, memory throws(BootError) in
      let place = launches[index].memory
      return Core(
        index: index, apicID: launches[index].apicID, threads: try ThreadList(&memory), taskState: place.taskState,
        block: place.block, hostState: place.hostState)
    }
    let parking = try CoreParking(launches, common, host, sparesThis: spares, &memory)
    memory.reachAll()
    return CoreTable(cores: cores, launches: launches, parking: parking, running: running, sparesBootCore: spares)
  }

  /// Starts them all. If core 0 was to be another than this and does not answer, it is this after all.
  private static func start(
    _ launches: Table<CoreLaunch>, isBootCoreSpared: inout Bool, _ host: BootHost
  ) -> CoreSet {
    var running = CoreSet()
    for index in (isBootCoreSpared ? 0 : 1)..<launches.count {
      if host.starter.start(launches.cell(index)) == .running {
        running.insert(index)
      } else {
        log(.error, "core \(index) (APIC \(launches[index].apicID)) does not start")
      }
    }
    if isBootCoreSpared, !running.contains(0) {
      launches[0].apicID = host.machine.apicID(ofCore: 0, sparingThis: false)
      isBootCoreSpared = false
      log(.warning, "the core that booted takes the place of core 0")
    }
    running.insert(0)
    return running
  }

  /// Has the cores find the kernel when they are released.
  func tell(_ kernel: Kernel, _ memory: inout BootMemory) throws(BootError) {
    let shared = try memory.table(1) { _ in kernel }.cell(0)
    for index in 0..<launches.count { launches[index].kernel = shared }
    trapState.keep(shared)
  }

  /// Lets all that run begin with their threads.
  func release() {
    for index in 0..<launches.count where running.contains(index) {
      launches[index].isReleased.store(true, ordering: .releasing)
      if sparesBootCore || index > 0 {
        launches[index].common.local.send(UInt32(Vectors.wake), to: launches[index].apicID)
      }
    }
  }
}
