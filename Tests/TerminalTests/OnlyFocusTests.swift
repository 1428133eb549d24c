// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Testing

@testable import Terminal

/// What people see when only the VM they type to is shown.
@Suite struct OnlyFocusTests {
  private func bench() throws -> Bench {
    var bench = try Bench(machines: 3)
    bench.type("@q")
    bench.wait(milliseconds: 60)
    _ = bench.output()
    return bench
  }

  @Test func `bytes of the VM that is shown pass unchanged`() throws {
    var bench = try bench()
    let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 256) }

    bench.print(bytes, by: 0)

    #expect(bench.output() == bytes)
  }

  @Test func `what the others print is kept, and shown as it is when the keyboard moves there`() throws {
    var bench = try bench()

    bench.print("\u{1b}[2Jfull screen", by: 1)
    #expect(bench.output() == [])
    bench.type("@1")
    let bytes = bench.output()

    #expect(String(decoding: bytes, as: UTF8.self).hasSuffix("\u{1b}[2Jfull screen"))
    #expect(Glass(bytes).screen.contains("roost │ @1: typing to vm1, and only it is shown"))
  }

  @Test func `of a VM that printed too much the newest 64 KiB are kept, and the loss is said`() throws {
    var bench = try bench()
    let bytes = (0..<70_000).map { UInt8(0x20 + $0 % 61) }

    bench.print(bytes, by: 1)
    bench.type("@1")
    let shown = bench.output()

    #expect(Array(shown.suffix(65_536)) == Array(bytes.suffix(65_536)))
    #expect(
      Glass(shown.dropLast(65_536)).screen.contains(
        "roost │ 4464 bytes of vm1 are lost: it printed too much while it was not shown"))
  }

  @Test func `showing all again shows what was kept, behind the names`() throws {
    var bench = try bench()

    bench.print("one\r\n", by: 1)
    bench.print("two\r\n", by: 2)
    bench.type("@q")

    #expect(
      bench.read().suffix(4) == [
        "roost │ @q: all VMs are shown, each line behind a name", "vm1 │ one", "vm2 │ two", "",
      ])
  }

  @Test func `the prompt is put back after a command`() throws {
    var bench = try bench()

    bench.print("~ # ", by: 0)
    bench.type("@7")
    bench.wait(milliseconds: 60)

    #expect(bench.read().suffix(2) == ["roost │ @7: there is no VM 7; @l lists them", "~ #"])
  }

  @Test func `the log waits until all is shown again`() throws {
    var bench = try bench()

    bench.system.log("patience", from: LogRecord.kernelSource)
    bench.settle()
    #expect(bench.output() == [])
    bench.type("@q")
    #expect(bench.read().contains("kernel │ patience"))
  }

  @Test func `a hidden VM that prints on and on is not held up`() throws {
    var bench = try bench()
    let ring = bench.console.host.output(of: 2)

    for _ in 0..<10 {
      while ring.space > 0 { ring.write(0x2e) }
      bench.settle()
      bench.wait(milliseconds: 1)
      #expect(ring.count == 0)
    }
  }
}
