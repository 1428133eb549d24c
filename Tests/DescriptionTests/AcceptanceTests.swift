// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Foundation
import Testing

@testable import Description

@Test func `the reference system is four machines on two cores`() throws {
  let system = try Description.load(path: Fixture.systems.appending(path: "supermicro.yaml").path)

  #expect(system.name == "supermicro")
  #expect(system.console == ConsolePort(uart: .com2, baud: 115_200))
  #expect(system.machines.map(\.name) == ["vm0", "vm1", "vm2", "vm3"])
  #expect(system.machines.map(\.core) == [0, 1, 0, 1])
  #expect(system.machines.allSatisfy { $0.memory == 1900 * .MiB && $0.kernel == .debian(.i386) })
  #expect(system.requirements == Requirements(cores: 2, guestMemory: 7600 * .MiB, memory: 8 * .GiB))
  #expect(system.switches == [VirtualSwitch(name: "lan", core: 0, ageing: 300)])
  #expect(
    system.machines.map(\.cards)
      == (1...4).map {
        [
          NetworkCard(
            network: 0, address: MACAddress(rawValue: 0x0200_0000_aa00 + $0), mtu: 1500, hasOffload: true,
            vlans: .access(1), refusesForeignSource: false, rate: nil)
        ]
      })
}

@Test func `the minimal system is one machine of 128 MiB`() throws {
  let system = try Description.load(path: Fixture.systems.appending(path: "minimal.yaml").path)

  #expect(
    system.machines == [
      VirtualMachine(
        name: "tiny", memory: 128 * .MiB, core: 0, kernel: .debian(.i386), initrd: .busybox(.i386),
        commandLine: "console=ttyS0,115200", onCrash: .stop)
    ])
  #expect(system.switches.isEmpty)
  #expect(system.requirements == Requirements(cores: 1, guestMemory: 128 * .MiB, memory: 256 * .MiB))
}

@Test func `what is not given has a default`() throws {
  let system = try Fixture.parse("accepted", "defaults")

  #expect(system.console.baud == 115_200)
  #expect(system.machines[0].initrd == nil)
  #expect(system.machines[0].commandLine == "console=ttyS0,115200")
  #expect(system.machines[0].onCrash == .stop)
  #expect(system.machines[0].ifCoreMissing == .refuse)
  #expect(system.machines[0].cards.isEmpty)
}

@Test func `the computer restarts after a panic where that is asked for, and stops where it is not`() throws {
  #expect(try Fixture.parse("accepted", "other-port").onPanic == .reboot)
  #expect(try Fixture.parse("accepted", "defaults").onPanic == .stop)
}

@Test func `a console can be at any I/O port, whose interrupt is then given`() throws {
  let uart = try Fixture.parse("accepted", "other-port").console.uart

  #expect(uart == UART(port: 0x3f0, interrupt: 10))
  #expect(uart.name == "0x3f0")
  #expect(uart.unit == nil)
  #expect(UART(named: "com3") == UART(port: 0x3e8, interrupt: 4))
  #expect(UART.com4.unit == 3)
  #expect([0x3e8, 0x100, 0xfff8].allSatisfy { UART.isPossible(port: $0) })
  #expect(![0, 0xf8, 0x3e9, 0xcf8, 0x1_0000, -8].contains { UART.isPossible(port: $0) })
}

@Test func `a scalar is taken as written, whatever YAML would make of it`() throws {
  let system = try Fixture.parse("accepted", "text-as-written")
  let folder = Fixture.folder.appending(path: "accepted").path

  #expect(system.name == "no")
  #expect(system.console.baud == 9600)
  #expect(
    system.machines == [
      VirtualMachine(
        name: "yes", memory: 2 * .GiB, core: 3, ifCoreMissing: .place,
        kernel: .file(path: folder + "/../files/vmlinuz"), initrd: .file(path: folder + "/../files/initrd"),
        commandLine: "a='b' # no comment", onCrash: .restart)
    ])
}

@Test func `everything at its limit is accepted`() throws {
  let system = try Fixture.parse("accepted", "largest")

  #expect(system.machines.count == 10)
  #expect(system.machines.map(\.core) == Array(54...63))
  #expect(system.machines.allSatisfy { $0.name.utf8.count == 24 && $0.commandLine.utf8.count == 2047 })
}

@Test func `a computer of unstated size has room for the guests on both sides of the hole`() {
  let machine = VirtualMachine(
    name: "a", memory: 1900 * .MiB, core: 5, kernel: .debian(.i386), initrd: nil, commandLine: "", onCrash: .stop)
  let system = System(
    name: "a", console: ConsolePort(uart: .com1, baud: 9600), machines: [machine, machine], declaredCores: nil,
    declaredMemory: nil)

  #expect(system.requirements.cores == 6)
  #expect(system.requirements.memory >= (1900 * 2 + 128 + 1900) * .MiB)
}
