// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver
import Testing

extension SystemTests {
  /// A computer that loses its power while a VM writes; often with `make torture`.
  @Suite(.serialized) struct TortureTests {
    private static var rounds: Int {
      ProcessInfo.processInfo.environment["ROOST_TORTURE"].flatMap { Int($0) } ?? 2
    }

    /// A system with one VM, root logged in.
    private func boot(_ disk: TestDisk) async throws -> TestMachine {
      let system = try await TestMachine.boot("Tests/SystemTests/Systems/one-disk.yaml", options: disk.option("sata0"))
      try await system.logInEverywhere([0])
      return system
    }

    @Test func `what was synced before the power was lost is there afterwards`() async throws {
      let disk = try TestDisk("torture", partitions: 1)
      var system = try await boot(disk)
      let make = "mkfs.ext4 -q /dev/vda1 && mkdir -p /m && mount -t ext4 /dev/vda1 /m && echo made"
      #expect(try await system.run(make, on: 0).hasSuffix("made"))
      var random = SystemRandomNumberGenerator()
      for round in 0..<Self.rounds {
        let name = "/m/\(round)-$i"
        system.enter(
          "i=0; while [ $i -lt 1000 ]; do i=$((i+1)); dd if=/dev/urandom of=\(name) bs=16k count=16 2>/dev/null; "
            + "sync; echo S''YNCED $i $(sha256sum < \(name)); [ $i -gt 8 ] && rm -f /m/\(round)-$((i-8)); done")
        var synced: [(number: Int, sum: String)] = []
        for _ in 0..<Int.random(in: 3...12, using: &random) {
          let line = try await system.expect(.line(#"SYNCED (\d+) ([0-9a-f]{64})"#), within: .seconds(120))
          synced.append((Int(line.captures[0]) ?? 0, line.captures[1]))
        }
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...200, using: &random)))
        await system.loseThePower()
        system = try await boot(disk)
        #expect(try await system.run("mkdir -p /m; mount -t ext4 /dev/vda1 /m; echo $?", on: 0) == "0")
        for file in synced.suffix(4) {
          #expect(try await system.run("sha256sum < /m/\(round)-\(file.number)", on: 0).hasPrefix(file.sum))
        }
        let check = "umount /m; e2fsck -fn /dev/vda1 >/tmp/fsck 2>&1; echo $?; mount -t ext4 /dev/vda1 /m"
        #expect(try await system.run(check, on: 0) == "0")
        _ = try await system.run("rm -f /m/*", on: 0)
      }
      await system.end()
      #expect(try disk.isUnharmed())
    }
  }
}
