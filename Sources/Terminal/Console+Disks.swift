// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// A line of the table of `@d`: a virtual disk of a disk.
struct DiskPlace {
  var disk = 0
  var client = 0
}

extension Console {
  private var disks: Int { min(Int(configuration.diskCount), DiskConfiguration.capacity) }

  // MARK: - The table

  mutating func startDiskTable() {
    guard disks > 0 else { return screen.say("there is no disk") }
    diskPlace = DiskPlace()
    continueDiskTable()
  }

  /// Shows as many virtual disks as there is room for.
  mutating func continueDiskTable() {
    while let place = diskPlace, screen.queue.space >= Self.answerRoom {
      guard place.disk < disks else {
        diskPlace = nil
        return
      }
      let counters = host.counters(ofDisk: place.disk)
      if place.client == 0 { showHeading(ofDisk: place.disk, counters) }
      guard place.client < counters.usedClients else {
        diskPlace = DiskPlace(disk: place.disk + 1)
        continue
      }
      screen.say(DiskTable.row(counters.clients[place.client], width: DiskTable.nameWidth(counters)))
      diskPlace?.client += 1
    }
  }

  private mutating func showHeading(ofDisk number: Int, _ counters: DiskCounters) {
    screen.say(DiskTable.heading(host.status(of: configuration.domain(ofDisk: number)), counters))
    if counters.sectorCount > 0 { screen.say(DiskTable.drive(counters)) }
    screen.say(DiskTable.work(counters))
    if let trouble = DiskTable.trouble(counters) { screen.say(trouble) }
    if counters.usedClients > 0 { screen.say(DiskTable.header(width: DiskTable.nameWidth(counters))) }
  }

  // MARK: - For programs

  mutating func showShares(of index: Int) {
    let machine = configuration.machines[index].name
    var shown = 0
    for number in 0..<disks {
      let counters = host.counters(ofDisk: number)
      let status = host.status(of: configuration.domain(ofDisk: number))
      // No VM has more disks than devices, whatever a server claims.
      for client in 0..<counters.usedClients where shown < VMMConfiguration.deviceCapacity {
        guard counters.clients[client].machine == machine else { continue }
        show(counters.clients[client], counters.drive, of: status)
        shown += 1
      }
    }
    screen.say("DISK \(machine) disks=\(shown)")
  }

  private mutating func show(_ client: DiskClientCounters, _ drive: DriveCounters, of disk: DomainStatus) {
    var letter = LogLine()
    letter.append(byte: 0x61 + UInt8(client.disk % 26))
    let subject: LogLine = "DISK disk=\(disk.name) share=\(client.machine).vd\(letter)"
    say(subject, fields: DiskField.count) { DiskField.field($0, of: client, drive, starts: disk.starts) }
  }
}
