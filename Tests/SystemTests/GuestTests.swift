// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver
import Testing

extension SystemTests {
  /// Four machines that are each a good place for Linux to be.
  @Suite(.serialized)
  struct GuestTests {
    @Test(arguments: FourMachines.numbers)
    func `every VM reaches its prompt and lets root in`(number: Int) async throws {
      let answer = try await FourMachines.system.run("hostname; id -un", on: number)
      #expect(answer == "vm\(number)\nroot")
    }

    @Test(arguments: FourMachines.numbers)
    func `each of the first three VMs has its partition as vda1, the last has no disk`(number: Int) async throws {
      let answer = try await FourMachines.system.run("ls /dev/vd* 2>/dev/null | xargs", on: number)
      #expect(answer == (number < 3 ? "/dev/vda /dev/vda1" : ""))
    }

    @Test func `while all VMs are shown, each line names its VM`() async throws {
      let text = try await FourMachines.system.transcript.text
      for number in FourMachines.numbers {
        #expect(text.contains("\nvm\(number) │ "), "no line of vm\(number)")
      }
    }

    @Test(arguments: FourMachines.numbers)
    func `the date is right`(number: Int) async throws {
      let seconds = try await FourMachines.system.run("date -u +%s", on: number)
      let difference = try abs(#require(Double(seconds)) - Date().timeIntervalSince1970)
      #expect(difference < 60, "the guest's clock is \(difference) s off")
    }

    @Test func `sleeping for ten seconds takes ten seconds`() async throws {
      let begin = ContinuousClock.now
      let text = try await FourMachines.system.run("a=$(date +%s); sleep 10; echo $(($(date +%s) - a))", on: 0)
      let elapsed = ContinuousClock.now - begin

      let seconds = try #require(Int(text))
      #expect((9...11).contains(seconds))
      #expect(elapsed > .seconds(9) && elapsed < .seconds(20), "it took \(elapsed) outside")
    }

    @Test(arguments: FourMachines.numbers)
    func `the kernel log has no complaint about the machine`(number: Int) async throws {
      let complaints = "unstable|[Ll]ost interrupt|nobody cared|Kernel panic|WARNING: CPU|timer doesn't work|TSC.*skew"
      let found = try await FourMachines.system.run("dmesg | grep -E \"\(complaints)\"", on: number)
      #expect(found == "")
    }

    @Test func `time comes from the paravirtual clock`() async throws {
      let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
      let clock = try await FourMachines.system.run("cat \(source)", on: 0)
      // Linux prefers the counter itself once KVM's clock has vouched for it.
      #expect(["kvm-clock", "tsc"].contains(clock))
      let clocks = try await FourMachines.system.run("dmesg | grep -c 'kvm-clock: Using msrs'", on: 0)
      #expect(clocks == "1")
    }

    @Test func `no tick of the local timer is lost`() async throws {
      let look = "echo $(awk '/^jiffies:/ {print $2; exit}' /proc/timer_list) $(cut -d' ' -f1 /proc/uptime)"
      let text = try await FourMachines.system.run("a=$(\(look)); sleep 10; echo $a $(\(look))", on: 1)
      let numbers = text.split(separator: " ").compactMap { Double($0) }
      try #require(numbers.count == 4)
      let (ticks, seconds) = (numbers[2] - numbers[0], numbers[3] - numbers[1])
      #expect(abs(ticks - seconds * 250) < 25, "ticks that were late are made up for")
    }

    @Test func `four kilobytes pasted at once arrive whole`() async throws {
      let system = try await FourMachines.system
      system.select(3)
      system.enter("echo R''EADY; cat > /tmp/pasted; seq 1000 1820 | cmp - /tmp/pasted && echo S''AME")
      try await system.expect("READY\n")
      system.type((1000...1820).map { "\($0)\r" }.joined() + "\u{4}")
      try await system.expect("SAME\n", within: .seconds(120))
    }
  }
}
