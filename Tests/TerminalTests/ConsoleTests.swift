// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Terminal

/// What people type, and what the console does about it.
@Suite struct ConsoleTests {
  private func bench(_ machines: Int = 3) throws -> Bench {
    var bench = try Bench(machines: machines)
    bench.settle()
    _ = bench.output()
    return bench
  }

  @Test func `what is typed goes to vm0 first, then where it is sent`() throws {
    var bench = try bench()

    bench.type("root\r@1user\r@@x")

    #expect(bench.typed(to: 0) == "root\r")
    #expect(bench.typed(to: 1) == "user\r@x")
    #expect(bench.system.signals.contains(0) && bench.system.signals.contains(1))
    #expect(!bench.system.signals.contains(2))
  }

  @Test func `several VMs get the same`() throws {
    var bench = try bench()

    bench.type("@m02\rls\r")

    #expect(bench.typed(to: 0) == "ls\r")
    #expect(bench.typed(to: 1) == "")
    #expect(bench.typed(to: 2) == "ls\r")
  }

  @Test func `keys wait for a slow VM while there is room, and what is dropped is said once it reads on`() throws {
    var bench = try bench()
    let ring = bench.console.host.input(of: 0)

    for _ in 0..<17 { bench.type(String(repeating: "k", count: 1024)) }
    #expect(ring.count == 16 * 1024)
    #expect(bench.read() == [""])
    #expect(bench.typed(to: 0).count == 16 * 1024)
    bench.settle()

    #expect(bench.read() == ["roost │ 1024 typed characters are lost: vm0 did not read them in time", ""])
  }

  @Test func `nothing is typed to a VM that does not run`() throws {
    var bench = try bench()
    bench.system.statuses[1].state = DomainState.stopped.rawValue
    bench.settle()

    bench.type("secret\r")

    #expect(bench.typed(to: 0) == "")
    #expect(
      bench.read() == [
        "roost │ vm0 is off; @p 0 switches it on",
        "roost │ vm0 does not run: nobody reads what you type; @r 0 starts it", "",
      ])
  }

  @Test func `a VM that ended before the console began is said to be off`() throws {
    var bench = try Bench(ended: 1)
    bench.settle()

    #expect(bench.read().contains("roost │ vm1 is off; @p 1 switches it on"))
  }

  @Test func `a VM is restarted, switched off and on by its domain`() throws {
    var bench = try bench()

    bench.type("@r 1@p 2")
    #expect(bench.system.restarted == [2])
    #expect(bench.system.stopped == [3])
    bench.system.statuses[3].state = DomainState.stopped.rawValue
    bench.settle()
    bench.type("@p 2")
    #expect(bench.system.restarted == [2, 3])
    #expect(
      bench.read() == [
        "roost │ @r 1: starting vm1 anew", "roost │ @p 2: switching off vm2",
        "roost │ vm2 is off; @p 2 switches it on", "roost │ @p 2: switching on vm2", "",
      ])
  }

  @Test func `a crash and a new start are said`() throws {
    var bench = try bench()

    bench.print("half a li", by: 1)
    bench.system.statuses[2].state = DomainState.crashed.rawValue
    bench.settle()
    bench.system.statuses[2].state = DomainState.running.rawValue
    bench.system.statuses[2].starts = 2
    bench.settle()

    #expect(
      bench.read() == [
        "vm1 │ half a li", "roost │ vm1 crashed; @r 1 starts it anew, @t 1 shows its last exits",
        "roost │ vm1 starts, for the 2nd time", "",
      ])
  }

  @Test func `the list shows what a second's measurement says`() throws {
    var bench = try bench(2)
    bench.system.now += 60_000_000_000
    bench.system.statuses[2].state = DomainState.crashed.rawValue
    bench.settle()
    _ = bench.output()

    bench.type("@l")
    #expect(bench.read() == [""])
    bench.system.statuses[1].exits += 500
    bench.system.statuses[1].ticks += 250_000_000
    bench.wait(milliseconds: 1000)

    #expect(
      bench.read() == [
        "roost │     name              state        uptime     memory  exits/s    CPU  core  starts",
        "roost │  0* vm0               running    00:01:02   1900 MiB      500  25.0%     0       1",
        "roost │  1  vm1               crashed           -   1900 MiB        0   0.0%     0       1",
        "",
      ])
    #expect(bench.system.timer == 0)
  }

  @Test func `a list asked for soon after another needs no wait`() throws {
    var bench = try bench(1)

    bench.type("@l")
    bench.wait(milliseconds: 3000)
    _ = bench.output()
    bench.type("@l")

    #expect(bench.read().count == 3)
  }

  @Test func `the trace shows the last exits, the newest last`() throws {
    var bench = try bench(1)
    bench.system.statuses[1].traceCount = 40
    for number in 8..<40 {
      var exit = ExitTrace()
      exit.tsc = bench.system.now - UInt64(40 - number) * 1_000_000
      exit.rip = UInt64(0xc000_0000 + number)
      exit.subject = 0x3f8
      exit.reason = ExitReason.portAccess.rawValue
      exit.access = Access.write.rawValue
      bench.system.statuses[1].trace[number % 32] = exit
    }

    bench.type("@t0")
    let lines = bench.read()

    #expect(lines.count == 35)
    #expect(lines[0] == "roost │ the last 32 of 40 exits of vm0:")
    #expect(lines[1] == "roost │         us ago  reason         subject             rip")
    #expect(lines[33] == "roost │           1000  port out       0x3f8               0xc0000027")
  }

  @Test func `the counters of a VM are lines of name=number`() throws {
    var bench = try bench(2)
    bench.system.statuses[2].exits = 1000
    bench.system.statuses[2].interruptExits = 100
    bench.system.statuses[2].kernelTicks = 2_500_999
    bench.system.statuses[2].ticks = 900
    bench.system.statuses[2].guestTicks = 700
    bench.system.statuses[2].systemCalls = 11
    bench.system.statuses[2].kicks = 12
    bench.system.statuses[2].notifications = 13
    bench.system.statuses[2].posted = 7
    let reasons: [ExitReason] = [.portAccess, .memoryAccess, .halt, .cpuid, .readMSR, .writeMSR, .hypercall]
    for (number, reason) in reasons.enumerated() {
      bench.system.statuses[2].exitsByReason[Int(reason.rawValue)] = UInt64(number + 1)
    }

    bench.type("@s1")

    #expect(
      bench.read() == [
        "roost │ STATS vm1 exits=1000 interrupt=100 port=1 memory=2 halt=3",
        "roost │ STATS vm1 cpuid=4 rdmsr=5 wrmsr=6 hypercall=7 kernel_ticks_per_exit=2500",
        "roost │ STATS vm1 guest_ticks=700 vmm_ticks=200 calls=11 kicks=12",
        "roost │ STATS vm1 notifications=13 posted=7",
        "roost │ STATS system memory_outside_guests=4194304", "",
      ])
  }

  @Test func `the counters of a VM that never ran are zeros, and ten digits fit on their lines`() throws {
    var bench = try bench(1)
    bench.type("@s0")
    #expect(bench.read()[1] == "roost │ STATS vm0 cpuid=0 rdmsr=0 wrmsr=0 hypercall=0 kernel_ticks_per_exit=0")

    var status = DomainStatus()
    status.exits = 9_999_999_999
    status.interruptExits = 9_999_999_999
    for index in status.exitsByReason.indices { status.exitsByReason[index] = 9_999_999_999 }
    status.ticks = 9_999_999_999_999_999
    status.guestTicks = 999_999_999_999_999
    status.systemCalls = 9_999_999_999
    status.kicks = 9_999_999_999
    #expect(Statistics.exits("vm0", status).count < LogLine.rowCapacity)
    #expect(Statistics.rest("vm0", status).count < LogLine.rowCapacity)
    #expect(Statistics.times("vm0", status).count < LogLine.rowCapacity)
  }

  @Test func `help names every command`() throws {
    var bench = try bench()

    bench.type("@?")

    let help = bench.read().joined(separator: "\n")
    for command in [
      "@N", "@@", "@?", "@m", "@l", "@r N", "@p N", "@b N", "@w N", "@i N", "@q", "@t N", "@s N", "@n ", "@n N",
    ] {
      #expect(help.contains(command))
    }
  }

  @Test func `keys that are not on a keyboard are pressed, a BREAK behind what was typed`() throws {
    var bench = try bench()
    bench.type("abc\r")
    bench.type("@b0")
    bench.type("@w1")
    bench.type("@i1")
    bench.type("h")
    let (first, second) = (bench.console.host.keys(of: 0), bench.console.host.keys(of: 1))
    #expect(first.count(.lineBreak) == 1 && first.breakPosition == 4 && first.count(.nonMaskable) == 0)
    #expect(second.count(.powerButton) == 1 && second.count(.nonMaskable) == 1 && second.count(.lineBreak) == 0)
    #expect(bench.typed(to: 0) == "abc\rh")
    #expect(bench.screen.contains("roost │ @b0: a BREAK for vm0"))
    #expect(bench.screen.contains("roost │ @w1: pressing the power button of vm1"))
  }

  @Test func `a VM that does not run has no keys`() throws {
    var bench = try Bench(ended: 1)
    bench.type("@w1")
    #expect(bench.console.host.keys(of: 1).count(.powerButton) == 0)
    #expect(bench.screen.contains("roost │ vm1 does not run; @r 1 starts it"))
  }

  @Test func `an unknown command is answered with a sentence`() throws {
    var bench = try bench()

    bench.type("@z")

    #expect(bench.read() == ["roost │ @z: there is no such command; @? lists them", ""])
  }

  @Test func `one VM that prints without end starves neither the others nor the keyboard`() throws {
    var bench = try bench()
    bench.uart.slots = 16
    let chatty = bench.console.host.output(of: 0)
    let quiet = bench.console.host.output(of: 1)
    for byte in "quiet\n".utf8 { quiet.write(byte) }
    bench.uart.incoming = Array("@?".utf8)

    // The line carries 8 KiB: less than a second's worth.
    for _ in 0..<512 {
      while chatty.space > 80 { for byte in "a chatty line of a chatty machine\n".utf8 { chatty.write(byte) } }
      bench.console.step()
      bench.uart.drain()
    }

    #expect(bench.screen.contains("vm1 │ quiet"))
    #expect(bench.screen.contains("roost │ commands, at the start of a line:"))
  }

  @Test func `output waits in the VM's ring, and its VMM is told when there is room`() throws {
    var bench = try bench()
    bench.uart.slots = 16
    let ring = bench.console.host.output(of: 1)
    while ring.space > 0 { ring.write(0x2e) }

    bench.console.step()
    #expect(bench.system.signals == [])
    #expect(ring.count > ring.capacity - 4096)
    bench.settle()
    #expect(bench.system.signals == [1])
  }

  @Test func `the console's state is small enough for its stack`() {
    #expect(MemoryLayout<Console<FakePorts, FakeHost>>.size < 16 * 1024)
  }
}
