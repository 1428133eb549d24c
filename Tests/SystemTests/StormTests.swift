// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

extension SystemTests {
  /// A device that raises more interrupts than it may. Instructions are what time is counted by here, 1 ns each, so that
  /// the storm is one however slow the emulator is.
  @Suite(.serialized)
  struct StormTests {
    /// A fixed interrupt at the local APIC with Linux' vector for rescheduling, which it counts and which has no other
    /// use on one processor (arch/x86/include/asm/irq_vectors.h).
    private static let vector = #"\375"#

    @Test func `a device that storms is held back, named once and heard again, and disturbs nobody`() async throws {
      var computer = Computer(processors: 3, console: .com1)
      computer.accelerator = "tcg,thread=single"
      computer.devices = [
        "-icount", "shift=0", "-device", "intel-iommu,intremap=on", "-device", "edu,bus=pcie.0,addr=4.0",
      ]
      let system = try await computer.boot("Tests/SystemTests/Systems/storm.yaml")
      try await system.logInEverywhere(0...1)
      try await system.pasteProgram("storm", on: 0)
      try await prepare(system)

      let quiet = try await interrupts(system)
      try await system.run("devmem $((base + 0x60)) 32 1", on: 0)
      #expect(try await interrupts(system) == quiet + 1, "a message arrives")

      for _ in 0..<3 {
        #expect(try await system.run("/tmp/storm $f 15000", on: 0) == "storm: over")
        #expect(try await system.run("sleep 1; hostname", on: 1) == "vm1")
      }
      let line = "vm0: 00:04.0 sends more than 100000 interrupts a second, and is held back"
      try await system.expectLog([.line(line)])
      #expect(system.transcript.text.ranges(of: line).count == 1, "named once")

      let before = try await interrupts(system)
      try await system.run("devmem $((base + 0x60)) 32 1", on: 0)
      #expect(try await interrupts(system) == before + 1, "it is heard again")
      await system.end()
    }

    /// Has the device send its one message: MSI at 0x40, address 0xfee00000, with memory and bus mastering on.
    private func prepare(_ system: TestMachine) async throws {
      try await system.run(
        """
        f=$(dirname $(grep -l 0x11e8 /sys/bus/pci/devices/*/device)); base=$(cut -d' ' -f1 $f/resource | head -n1); \
        put() { printf "$2" | dd of=$f/config bs=1 seek=$1 conv=notrunc 2>/dev/null; }; \
        put 4 '\\006'; put 68 '\\000\\000\\340\\376'; put 76 '\(Self.vector)'; put 66 '\\001'
        """, on: 0)
    }

    /// How many messages vm0 has had.
    private func interrupts(_ system: TestMachine) async throws -> Int {
      let count = try await system.run("awk '/RES:/ { print $2 }' /proc/interrupts", on: 0)
      return try #require(Int(count))
    }
  }
}
