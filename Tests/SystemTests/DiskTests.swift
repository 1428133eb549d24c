// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// One disk and three VMs with a partition each, and one with none, booted once: root logged in on each. The disk server
/// is of the build that traps when a guest with a disk writes the byte 0x5A to port 0xF00D.
private enum ThreeOnADisk {
  struct Booted {
    var system: TestMachine
    var disk: TestDisk
  }

  static let booted = Task {
    let disk = try TestDisk("disks", partitions: 3)
    let system = try await TestMachine.boot(
      "Tests/SystemTests/Systems/disks.yaml",
      options: ["--components", Repository.faultyImages] + disk.option("sata0"))
    try await system.logInEverywhere(0...3)
    return Booted(system: system, disk: disk)
  }

  /// For the end of the suite.
  @Sendable static func end() async { await (try? booted.value)?.system.end() }
}

extension SystemTests {
  /// A disk shared by VMs: each has its part, and nothing of the others'.
  @Suite(.serialized, .ending(ThreeOnADisk.end))
  struct DiskTests {
    private static let owners = 0...2

    @Test func `1: each VM sees its partition, and the one without a disk none`() async throws {
      let system = try await ThreeOnADisk.booted.value.system
      for number in DiskTests.owners {
        let table = try await system.run("fdisk -l | grep -c '^/dev/vda1 '; ls -1 /dev/vda*", on: number)
        #expect(table == "1\n/dev/vda\n/dev/vda1")
        let size = try await system.run("cat /sys/block/vda/vda1/size /sys/block/vda/serial", on: number)
        #expect(size == "131072\nsata0")
      }
      #expect(try await system.run("ls /dev/vd* 2>/dev/null | wc -l", on: 3) == "0")
    }

    @Test func `2: what a VM wrote and synced is there after it was rebooted`() async throws {
      let system = try await ThreeOnADisk.booted.value.system
      var sums: [String] = []
      for number in DiskTests.owners {
        let make = "mkfs.ext2 -q /dev/vda1 && mkdir -p /m && mount -t ext2 /dev/vda1 /m && echo made"
        #expect(try await system.run(make, on: number).hasSuffix("made"))
        let write = "dd if=/dev/urandom of=/m/a bs=64k count=64 2>/dev/null; echo secret-of-vm\(number) >/m/b; sync"
        sums.append(try await system.run("\(write); cat /m/a /m/b | sha256sum", on: number))
      }
      #expect(Set(sums).count == 3)
      for number in DiskTests.owners {
        system.select(number)
        system.enter("reboot")
        try await system.logIn(number)
        let read = "mkdir -p /m; mount -t ext2 /dev/vda1 /m; cat /m/a /m/b | sha256sum; umount /m"
        #expect(try await system.run(read, on: number) == sums[number])
        #expect(try await system.run("e2fsck -fn /dev/vda1 >/dev/null 2>&1; echo $?", on: number) == "0")
      }
    }

    @Test func `3: the host finds each VM's data in its own partition, and nothing else changed`() async throws {
      let booted = try await ThreeOnADisk.booted.value
      #expect(try booted.disk.isUnharmed())
      for number in DiskTests.owners {
        #expect(try booted.disk.partitions(with: "secret-of-vm\(number)") == [number + 1])
      }
    }

    @Test func `4: a write to the made-up table is an error, and changes nothing`() async throws {
      let booted = try await ThreeOnADisk.booted.value
      let write = "dd if=/dev/zero of=/dev/vda bs=512 count=8 conv=fsync 2>/dev/null; echo $?"
      #expect(try await booted.system.run(write, on: 1).hasSuffix("1"))
      #expect(
        try await booted.system.run("dd if=/dev/vda bs=512 count=1 2>/dev/null | tail -c 2 | od -An -tx1", on: 1)
          == "55 aa")
      #expect(try booted.disk.isUnharmed())
    }

    @Test func `5: the disk server fails again and again under load, and no VM notices`() async throws {
      let booted = try await ThreeOnADisk.booted.value
      let system = booted.system
      for number in DiskTests.owners {
        let load =
          "for i in 1 2 3; do dd if=/dev/urandom of=/tmp/x bs=64k count=80 2>/dev/null; "
          + "dd if=/tmp/x of=/dev/vda1 bs=64k conv=fsync 2>/tmp/e || echo failed >>/tmp/r; "
          + "dd if=/dev/vda1 bs=64k count=80 iflag=direct 2>/dev/null | cmp - /tmp/x || echo differs >>/tmp/r; done"
        try await system.run("rm -f /tmp/r; (\(load); echo done >>/tmp/r) >/dev/null 2>&1 & true", on: number)
      }
      for _ in 0..<5 {
        try await system.run(#"printf '\x5a' | dd of=/dev/port bs=1 seek=61453 2>/dev/null; sleep 1"#, on: 0)
      }
      for number in DiskTests.owners {
        let wait = "while ! grep -q done /tmp/r 2>/dev/null; do sleep 1; done; cat /tmp/r"
        #expect(try await system.run(wait, on: number, within: .seconds(300)) == "done")
        #expect(try await system.run("dmesg | grep -c 'I/O error.*vda1'", on: number) == "0")
      }
      let counters = try await system.ask("@d 0", for: .line(#"DISK disk=sata0 share=vm0.vda starts=(\d+) up=1"#))
      #expect((counters.captures.first.flatMap { Int($0) } ?? 0) >= 3)
      try await system.ask("", for: .line("DISK vm0 disks=1"))
      #expect(try booted.disk.isUnharmed())
    }
  }

  /// A drive whose controller uses its interrupt line in place of messages.
  @Suite struct DiskLineTests {
    @Test func `a drive whose controller interrupts by its line moves data, by interrupt`() async throws {
      let disk = try TestDisk("line", partitions: 1)
      let system = try await TestMachine.boot(
        "Tests/SystemTests/Systems/line-disk.yaml", options: disk.option("sata0"))
      try await system.logInEverywhere(0...0)
      try await system.run("dd if=/dev/urandom of=/tmp/x bs=64k count=64 2>/dev/null", on: 0)
      try await system.run("dd if=/tmp/x of=/dev/vda1 bs=4k oflag=direct 2>/dev/null", on: 0, within: .seconds(300))
      let compare = "dd if=/dev/vda1 bs=64k count=64 iflag=direct 2>/dev/null | cmp - /tmp/x; echo $?"
      let difference = try await system.run(compare, on: 0, within: .seconds(300))
      #expect(difference == "0")
      let counters = try await system.ask(
        "@d 0", for: .line(#"DISK disk=sata0.* commands=(\d+) drive_interrupts=(\d+)"#))
      let counts = counters.captures.compactMap { Int($0) }
      #expect(counts.count == 2 && counts[0] >= 1024 && counts[1] >= counts[0] / 2, "\(counters.captures)")
      await system.end()
      #expect(try disk.isUnharmed())
    }
  }

  /// Disks whose tables are wrong.
  @Suite(.serialized)
  struct DiskRefusalTests {
    @Test func `a VM whose partition cannot be had does not start, and the others do`() async throws {
      let disk = try TestDisk("parts", partitions: 3)
      // Partition 2 reaches beyond the end of the disk: its count of sectors, in the MBR's second entry.
      try disk.write([0, 0, 0, 0x7f], at: 446 + 16 + 12)
      let system = try await TestMachine.boot(
        "Tests/SystemTests/Systems/parts.yaml", options: disk.option("sata0"))
      try await system.expectAll(
        [
          .text("beyond: vda: partition 2 of sata0: partition 2 goes beyond the end of the disk"),
          .text("spare: vda: partition 4 of sata0: there is no such partition"),
          .text("does not start: disk sata0 or its part for this VM is missing"),
          .text("good login:"), .text("spare login:"),
        ], within: .seconds(600))
      await system.end()
    }
  }
}
