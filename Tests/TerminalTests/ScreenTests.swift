// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Testing

@testable import Terminal

/// What people see when several VMs print.
@Suite struct ScreenTests {
  private func bench(_ machines: Int = 3) throws -> Bench {
    var bench = try Bench(machines: machines)
    bench.settle()
    _ = bench.output()
    return bench
  }

  @Test func `the banner names the VMs and says how to get help`() throws {
    var bench = try Bench(machines: 2)
    bench.settle()

    #expect(
      bench.read() == [
        "roost │ Roost: VMs on this line: 2",
        "roost │   @0  vm0  1900 MiB",
        "roost │   @1  vm1  1900 MiB",
        "roost │ all VMs are shown; you type to vm0; @? at the start of a line for help",
        "",
      ])
  }

  @Test func `a line stands behind its writer's name, in its colour`() throws {
    var bench = try bench()

    bench.print("hello\r\n", by: 1)

    #expect(String(decoding: bench.output(), as: UTF8.self) == "\u{1b}[32mvm1 │\u{1b}[0m hello\r\n")
  }

  @Test func `lines that are printed at the same time are not mixed`() throws {
    var bench = try bench()

    bench.print("first ha", by: 0)
    bench.print("second ha", by: 1)
    bench.print("lf\r\n", by: 0)
    bench.print("lf\r\n", by: 1)

    #expect(bench.read() == ["vm0 │ first half", "vm1 │ second half", ""])
  }

  @Test func `a prompt without an end is shown once it has waited`() throws {
    var bench = try bench()

    bench.print("login: ", by: 1)
    #expect(bench.read() == [""])
    bench.wait(milliseconds: 60)
    #expect(bench.read() == ["vm1 │ login:"])
  }

  @Test func `nothing wakes the console while nothing is unfinished`() throws {
    var bench = try bench()

    bench.print("a line\r\n", by: 0)
    #expect(bench.system.timer == 0)
    bench.print("login: ", by: 0)
    #expect(bench.system.timer != 0)
    bench.wait(milliseconds: 60)
    #expect(bench.system.timer == 0)
  }

  @Test func `the line at which a person types stays at the bottom`() throws {
    var bench = try bench()

    bench.print("login: ", by: 0)
    bench.wait(milliseconds: 60)
    bench.print("one\r\n", by: 1)
    bench.print("two\r\n", by: 2)
    bench.wait(milliseconds: 60)
    bench.print("root", by: 0)

    #expect(bench.read() == ["vm1 │ one", "vm2 │ two", "vm0 │ login: root"])
  }

  @Test func `an unfinished line of another VM is left standing, and repeated when it goes on`() throws {
    var bench = try bench()

    bench.print("login: ", by: 1)
    bench.wait(milliseconds: 60)
    bench.print("two\r\n", by: 2)
    bench.print("root\r\n", by: 1)

    #expect(bench.read() == ["vm1 │ login:", "vm2 │ two", "vm1 │ login: root", ""])
  }

  @Test func `what is typed is echoed in place`() throws {
    var bench = try bench()

    bench.print("$ ", by: 0)
    bench.wait(milliseconds: 60)
    _ = bench.output()
    bench.print("l", by: 0)
    bench.print("s", by: 0)

    #expect(bench.output() == Array("ls".utf8))
  }

  @Test func `a command is shown as it is typed, and leaves its answer`() throws {
    var bench = try bench()

    bench.print("$ ", by: 0)
    bench.wait(milliseconds: 60)
    bench.type("@")
    #expect(bench.read().last == "roost │ @")
    bench.type("1")
    bench.print("# ", by: 1)
    bench.wait(milliseconds: 60)

    #expect(bench.screen.suffix(2) == ["roost │ @1: typing to vm1", "vm1 │ #"])
  }

  @Test func `a command that was taken back leaves no trace`() throws {
    var bench = try bench()

    bench.print("$ ", by: 0)
    bench.wait(milliseconds: 60)
    let before = bench.screen
    bench.type("@r\u{7f}\u{7f}")
    bench.wait(milliseconds: 60)

    #expect(bench.screen == before)
  }

  @Test func `a command that is being typed survives what VMs print`() throws {
    var bench = try bench()

    bench.type("@m0")
    bench.print("one\r\n", by: 1)
    bench.wait(milliseconds: 60)
    #expect(bench.screen.suffix(2) == ["vm1 │ one", "roost │ @m0"])
    bench.type("1\r")
    #expect(bench.screen.suffix(2) == ["roost │ @m01: typing to vm0, vm1", ""])
  }

  @Test func `a line longer than the console keeps goes on behind the name again`() throws {
    var bench = try bench()

    bench.print(String(repeating: "x", count: 300) + "\r\n", by: 1)

    let x = { String(repeating: "x", count: $0) }
    #expect(bench.read() == ["vm1 │ " + x(256), "vm1 │ " + x(44), ""])
  }

  @Test func `a carriage return lets a VM write over its own line only`() throws {
    var bench = try bench()

    bench.print("10%", by: 1)
    bench.wait(milliseconds: 60)
    bench.print("\r20%", by: 1)
    #expect(bench.read() == ["vm1 │ 20%"])
    bench.print("\rabc\rd\r\nnext\r\n", by: 1)
    #expect(bench.screen.suffix(3) == ["vm1 │ dbc", "vm1 │ next", ""])
  }

  @Test func `a line can be edited: back, over, along and erased`() throws {
    var bench = try bench()
    let edits = "abcd\u{8}\u{8}XY\u{1b}[3DZ\u{1b}[C!\u{8}\u{8}\u{1b}[K?"

    bench.print("> ", by: 0)
    bench.wait(milliseconds: 60)
    bench.print(edits, by: 0)
    #expect(bench.read() == ["vm0 │ > aZ?"])
    bench.print("one\r\n", by: 1)
    bench.wait(milliseconds: 60)
    #expect(bench.screen.suffix(2) == ["vm1 │ one", "vm0 │ > aZ?"])
  }

  @Test func `an edited line comes back with the cursor where it was`() throws {
    var bench = try bench()

    bench.print("> abc\u{8}\u{8}", by: 0)
    bench.wait(milliseconds: 60)
    bench.print("one\r\n", by: 1)
    bench.wait(milliseconds: 60)
    bench.print("X", by: 0)

    #expect(bench.screen.last == "vm0 │ > aXc")
  }

  @Test func `no guest can go left of its line, up, or clear the screen`() throws {
    var bench = try bench()

    bench.print("victim\r\n", by: 1)
    bench.print("abc\u{8}\u{8}\u{8}\u{8}\u{8}\u{1b}[99D\u{1b}[2J\u{1b}[H\u{1b}[5A\u{1b}c\u{1b}[?1049hX\r\n", by: 2)

    #expect(bench.read() == ["vm1 │ victim", "vm2 │ Xbc", ""])
  }

  @Test(arguments: ["\u{8}\u{8}\u{8}\u{8}\u{8}", "\u{1b}[99D", "\r\u{8}\u{8}", "\u{1b}[2K\u{8}\u{8}", "\u{1b}[9C\r"])
  func `no guest can reach its name while its line is on the screen`(moves: String) throws {
    var bench = try bench()

    bench.print("abc", by: 1)
    bench.wait(milliseconds: 60)
    bench.print(moves + "XYZ", by: 1)

    #expect(bench.read() == ["vm1 │ XYZ"])
  }

  @Test func `colours stay, and end with the line`() throws {
    var bench = try bench()

    bench.print("\u{1b}[1;31mred\r\n", by: 1)

    #expect(
      String(decoding: bench.output(), as: UTF8.self)
        == "\u{1b}[32mvm1 │\u{1b}[0m \u{1b}[1;31mred\u{1b}[0m\r\n")
  }

  @Test func `titles, device strings and questions to the terminal never reach it`() throws {
    var bench = try bench()

    bench.print("a\u{1b}]0;title\u{7}b\u{1b}P1$r\u{1b}\\c\u{1b}[6nd\u{1b}(0e\u{5}f\u{7}g\r\n", by: 1)

    #expect(String(decoding: bench.output(), as: UTF8.self).hasSuffix(" abcdefg\r\n"))
  }

  @Test func `a string without an end swallows no more than its line`() throws {
    var bench = try bench()

    bench.print("a\u{1b}]0;lost\r\nb\r\n", by: 1)

    #expect(bench.read() == ["vm1 │ a", "vm1 │ b", ""])
  }

  @Test func `controls in disguise and broken UTF-8 never reach the terminal`() throws {
    var bench = try bench()

    // CSI as one raw byte and as U+009B, an overlong escape, a surrogate, a stray byte, a right-to-left override.
    bench.print([0x9b, 0xc2, 0x9b, 0xc0, 0x9b, 0xed, 0xa0, 0x80, 0xff, 0xe2, 0x80, 0xae, 0xe2, 0x28, 0x0a], by: 1)
    bench.print("grüße ├─ 日本\n", by: 1)

    let bytes = bench.output()
    #expect(!bytes.contains(0x9b))
    #expect(Glass(bytes).text == ["vm1 │ ??????(", "vm1 │ grüße ├─ 日本", ""])
  }

  @Test func `no guest can print the bar that follows a name`() throws {
    var bench = try bench()

    bench.print("\u{1b}[32mvm1 │ forged\r\n", by: 0)

    #expect(bench.read() == ["vm0 │ vm1 | forged", ""])
  }

  @Test func `tabs stand as they would without the name`() throws {
    var bench = try bench()

    bench.print("a\tb\tc\r\n", by: 0)

    #expect(bench.read() == ["vm0 │ a       b       c", ""])
  }

  @Test func `names of different lengths end in one column`() throws {
    var configuration = ConsoleConfiguration()
    configuration.count = 2
    configuration.machines[0].name = Bench.name("a")
    configuration.machines[1].name = Bench.name("gateway")
    let system = FakeSystem(machines: 2)
    let uart = FakeUART()
    var console = try Console(
      configuration: configuration, host: FakeHost(system: system), space: FakePorts(uart: uart),
      log: LogView(unsafeBase: system.log), unsafeWorkspace: FakeSystem.zeroed(Int(ConsoleWorkspace.size)))
    console.host.output(of: 0).write(0x0a)
    console.host.output(of: 1).write(0x0a)

    for _ in 0..<100 { console.step() }

    #expect(Glass(uart.sent).text.suffix(3) == ["a       │", "gateway │", ""])
  }

  @Test func `the log is told apart from what guests print`() throws {
    var bench = try bench()

    bench.system.log("all cores run", from: LogRecord.kernelSource)
    bench.system.log("triple fault", from: 2, level: .error)
    bench.system.statuses[9].name = Bench.name("switch")
    bench.system.log("two cards", from: 9)
    bench.settle()
    let bytes = bench.output()

    #expect(
      Glass(bytes).text == ["kernel │ all cores run", "vmm vm1 │ triple fault", "switch │ two cards", ""])
    #expect(String(decoding: bytes, as: UTF8.self).contains("\u{1b}[31mtriple fault\u{1b}[0m"))
  }

  @Test func `what the log lost is said`() throws {
    var bench = try bench()

    for number in 1...(LogRing.capacity + 90) { bench.system.log("line \(number)", from: LogRecord.kernelSource) }
    bench.settle()

    let lines = bench.read()
    #expect(lines.first == "roost │ 91 lines of the log are lost")
    #expect(lines.dropFirst().first == "kernel │ line 92")
    #expect(lines.suffix(2).first == "kernel │ line 600")
  }

  @Test func `what others print cannot steer the terminal through the log`() throws {
    var bench = try bench()

    bench.system.log("a\u{1b}[2Jb│", from: 1)
    bench.settle()

    #expect(bench.read() == ["vmm vm0 │ a?[2Jb???", ""])
  }
}
