// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Firmware
import Processors
import Synchronization
import X86

/// The processors that nobody uses. They are started once, and sleep with machine checks on: an error that hardware tells
/// to all of them would shut the machine down if one of them did not listen (Intel SDM volume 3, §16.10.4.1).
struct CoreParking {
  private static var stackSize: UInt64 { 16 * .KiB }

  private let launches: Table<CoreLaunch>
  /// Whether the last of them is the processor that boots, which goes there by itself.
  private let hasBootCore: Bool

  /// Parks all processors that are none of `used`; one that does not answer is named.
  init(
    _ used: Table<CoreLaunch>, _ common: CoreCommon, _ host: BootHost, sparesThis: Bool, _ memory: inout BootMemory
  ) throws(BootError) {
    let numbers = try Self.numbers(used, host, sparesThis: sparesThis, &memory)
    hasBootCore = sparesThis
    launches = try BootMemory.table(numbers.count, in: &memory) { place, memory throws(BootError) in
      let index = used.count + place
      return CoreLaunch(
        index: index, apicID: numbers[place],
        memory: try CoreMemory(
          index, &memory, space: host.space, descriptors: common.descriptors, stackSize: Self.stackSize),
        common: common, isParked: true)
    }
    let others = launches.count - (hasBootCore ? 1 : 0)
    host.starter.initialise(launches, first: others)
    for place in 0..<others where host.starter.startInitialised(launches.cell(place)) != .running {
      log(.warning, "the processor with APIC \(launches[place].apicID) does not answer: it cannot be parked")
    }
  }

  /// The numbers of those to park, the one that boots last if it is to be spared.
  private static func numbers(
    _ used: Table<CoreLaunch>, _ host: BootHost, sparesThis: Bool, _ memory: inout BootMemory
  ) throws(BootError) -> Table<UInt32> {
    let topology = host.machine.topology
    let this = host.machine.threads.number
    var list = FixedList<64, UInt32>()
    for index in 0..<topology.processorCount {
      let number = topology.apicID(index)
      var isFree = number != this
      for place in 0..<used.count where used[place].apicID == number { isFree = false }
      if isFree { try list.append(number, orSay: "there are too many processors") }
    }
    if sparesThis { try list.append(this, orSay: "there are too many processors") }
    let all = list
    return try memory.table(all.count) { all[$0] }
  }

  /// The end of the processor that boots, if it is to be spared.
  func parkThis() -> Never {
    if hasBootCore { kernelCoreStart(launches.cell(launches.count - 1).address) }
    cx86_halt_forever()
  }

  /// A parked core's life: whatever wakes it, it says, and goes on sleeping.
  static func sleep(_ index: Int) -> Never {
    while true {
      cx86_halt()
      guard let kernel = trapState.kernel?.value else { continue }
      kernel.checks.report(index, now: cx86_rdtsc(), kernel)
    }
  }
}
