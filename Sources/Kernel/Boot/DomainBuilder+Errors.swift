// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Firmware

extension DomainBuilder {
  /// What the handlers of machine checks are to know: whose memory is where, and a place for each processor's notes.
  func checks(
    _ host: BootHost, _ clock: Clock, _ memory: inout BootMemory
  ) throws(BootError) -> MachineChecks {
    var extents = FixedList<64, MachineChecks.GuestExtent>()
    for index in 0..<reader.count(.guestMappings) where reader.guestMapping(index).isOverlay == 0 {
      let record = reader.guestMapping(index)
      try pieces(of: record).each { (address, extent) throws(BootError) in
        try extents.append(
          MachineChecks.GuestExtent(
            domain: Int(record.domain), guestAddress: address, start: extent.start.value, size: extent.size),
          orSay: "guests have too many pieces of memory")
      }
    }
    let list = extents
    return MachineChecks(
      events: try memory.table(host.machine.topology.processorCount + 1) { _ in CoreEvents() },
      memory: try memory.table(list.count) { list[$0] }, rules: .own, frequency: clock.tscFrequency)
  }
}
