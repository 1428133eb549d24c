// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Terminal

/// What the console says of disks.
@Suite struct DiskTests {
  private func bench() throws -> Bench {
    var bench = try Bench(machines: 2, switches: ["lan"], disks: ["sata0"])
    bench.settle()
    _ = bench.output()
    return bench
  }

  private func disk() -> DiskCounters {
    var disk = DiskCounters()
    for (index, byte) in "QEMU HARDDISK".utf8.enumerated() { disk.model[index] = byte }
    (disk.sectorSize, disk.sectorCount, disk.depth, disk.issued) = (512, 528_384, 32, 3)
    (disk.table, disk.partitionCount) = (PartitionTableKind.mbr.rawValue, 3)
    disk.state = DiskState.ready.rawValue
    (disk.drive.commands, disk.drive.interrupts, disk.drive.deepestQueue) = (1105, 939, 14)
    disk.clientCount = 2
    disk.clients[0].machine = Bench.name("vm0")
    disk.clients[0].state = DiskClientState.up.rawValue
    (disk.clients[0].partition, disk.clients[0].sectorCount) = (1, 131_072)
    (disk.clients[0].reads, disk.clients[0].bytesRead, disk.clients[0].flushes) = (300, 73 << 20, 10)
    (disk.clients[0].timed, disk.clients[0].latencySum, disk.clients[0].deepest) = (2, 1_874_000, 12)
    disk.clients[1].machine = Bench.name("vm1")
    disk.clients[1].state = DiskClientState.missing.rawValue
    return disk
  }

  @Test func `the table shows the drive, its work, and who has what`() throws {
    var bench = try bench()
    bench.system.disks[0] = disk()

    bench.type("@d\r")

    #expect(
      bench.read() == [
        "roost │ disk sata0: running, started once; ready",
        "roost │   QEMU HARDDISK    258 MiB, MBR with 3 partitions",
        "roost │   1105 commands, 939 interrupts, 3 of 32 under way, at most 14",
        "roost │   disk     state part   reads     bytes  writes     bytes flushes     us depth",
        "roost │   vm0 vda  up       1     300    73 MiB       0       0 B      10    937    12",
        "roost │   vm1 vda  missing  -       0       0 B       0       0 B       0      0     0", "",
      ])
  }

  @Test func `errors are shown if there were any`() throws {
    var bench = try bench()
    bench.system.disks[0] = disk()
    bench.system.disks[0].drive.timeouts = 2

    bench.type("@d\r")

    #expect(bench.read().contains("roost │   errors: 0 of the drive, 0 of the link, 2 timeouts, 0 repeats"))
  }

  @Test func `programs find every counter of a VM's disks`() throws {
    var bench = try bench()
    bench.system.disks[0] = disk()

    bench.type("@d 0\r")

    let text = bench.read().joined(separator: " ")
    for field in ["starts=1", "up=1", "partition=1", "reads=300", "flushes=10", "latency_us=937", "commands=1105"] {
      #expect(text.contains(" " + field + " "), "\(field)")
    }
    #expect(text.contains("DISK vm0 disks=1"))
    #expect(!text.contains("vm1.vda"))
  }

  @Test func `without a disk it says so`() throws {
    var bench = try Bench()
    bench.settle()
    _ = bench.output()

    bench.type("@d\r")

    #expect(bench.read().first == "roost │ there is no disk")
  }

  @Test func `a server that claims anything shows no more than there can be`() throws {
    var bench = try bench()
    bench.system.disks[0].clientCount = .max

    bench.type("@d\r")

    #expect(bench.read().count < 30)
  }
}
