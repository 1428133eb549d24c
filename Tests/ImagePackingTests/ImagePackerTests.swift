// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Firmware
import Testing

@testable import Description
@testable import ImagePacking

private let kernel = [UInt8](repeating: 0x4b, count: 5000)
private let initrd = [UInt8](repeating: 0x49, count: 4097)

func machine(_ name: String, memory: UInt64 = 64 * .MiB, core: Int = 0) -> VirtualMachine {
  VirtualMachine(
    name: name, memory: memory, core: core, kernel: .debian(.i386), initrd: nil, commandLine: "console=ttyS0,115200",
    onCrash: .stop)
}

func system(_ machines: [VirtualMachine], uart: UART = .com2) -> System {
  System(
    name: "test", console: ConsolePort(uart: uart, baud: 9600), machines: machines, declaredCores: nil,
    declaredMemory: nil)
}

func pack(_ system: System, _ guests: [GuestBoot]? = nil, diskImages: [[UInt8]] = []) throws -> ReadImage {
  let elf = MadeELF().bytes
  var other = MadeELF()
  other.segments[0].bytes[0] = 0x90
  var third = MadeELF()
  third.segments[0].bytes[0] = 0xcc
  let programs = Programs(kernel: elf, vmm: elf, console: other.bytes, switchServer: third.bytes, diskServer: elf)
  let boots = guests ?? system.machines.map { _ in GuestBoot(kernel: kernel, initrd: [initrd]) }
  return ReadImage(
    bytes: try ImagePacker.pack(system, programs: programs, guests: boots, diskImages: diskImages).bytes)
}

@Test func `an image begins with its header`() throws {
  let image = try pack(system([machine("vm0")]))

  #expect(Array(image.bytes.prefix(8)) == Array("ROOSTIMG".utf8))
  #expect(number(image.bytes, 8, as: UInt32.self) == BootHeader.version)
  #expect(number(image.bytes, 16, as: UInt64.self) == image.bytes.count)
  #expect(image.bytes.count % 4096 == 0)
  #expect(text(image.bytes[168..<192]) == "test")
}

@Test func `files lie on pages of their own, in order, with zeros between`() throws {
  let image = try pack(system([machine("vm0"), machine("vm1")]))
  let material = ["console", "console.symbols", "vmm", "vmm.symbols", "kernel.symbols"]
  var end = 4096

  #expect(
    image.files.map(\.name) == [
      "console", "console.symbols", "vmm", "vmm.symbols", "kernel.symbols", "console.configuration", "guest-kernel.0",
      "guest-initrd.0", "configuration.0", "configuration.1",
    ])
  for file in image.files.sorted(by: { $0.offset < $1.offset }) {
    // The material has a page of its own in front.
    if end == image.systemSize { end += 4096 }
    #expect(file.offset == end && file.size > 0)
    #expect(material.contains(file.name) == (file.offset > image.systemSize))
    end = (file.offset + file.size + 4095) / 4096 * 4096
    #expect(image.bytes[(file.offset + file.size)..<end].allSatisfy { $0 == 0 })
  }
  #expect(end == image.bytes.count)
}

@Test func `systems with the same large files have the same material`() throws {
  let large = [UInt8](repeating: 0x4b, count: 64 << 10)
  let other = [UInt8](repeating: 0x4c, count: 64 << 10)
  func parts(_ names: [String], _ kernels: [[UInt8]]) throws -> (system: ArraySlice<UInt8>, material: ArraySlice<UInt8>)
  {
    let image = try pack(system(names.map { machine($0) }), kernels.map { GuestBoot(kernel: $0, initrd: [[1], [2]]) })
    return (image.bytes[..<image.systemSize], image.bytes[image.systemSize...])
  }
  let first = try parts(["vm0", "vm1"], [large, other])
  let second = try parts(["web", "database", "third"], [other, large, other])

  #expect(first.material == second.material)
  #expect(first.system != second.system)
  #expect(try parts(["vm0"], [large]).material != first.material)
  #expect(Array(first.material.prefix(8)) == Array("ROOSTMAT".utf8))
}

@Test func `a file that VMs have in common is packed once`() throws {
  let other = [UInt8](repeating: 0x4c, count: 5000)
  let guests = [
    GuestBoot(kernel: kernel, initrd: [initrd]), GuestBoot(kernel: other, initrd: [initrd, [1]]),
    GuestBoot(kernel: kernel, initrd: [initrd, [2]]), GuestBoot(kernel: other),
  ]
  let image = try pack(system((0..<4).map { machine("vm\($0)") }), guests)

  #expect(image.files.map(\.name).filter { $0.hasPrefix("guest-kernel.") } == ["guest-kernel.0", "guest-kernel.1"])
  #expect(
    image.files.map(\.name).filter { $0.hasPrefix("guest-initrd.") } == [
      "guest-initrd.0", "guest-initrd.1", "guest-initrd.2",
    ])
  #expect(image.contents("guest-kernel.0") == kernel)
  #expect(image.contents("guest-kernel.1") == other)
  #expect(image.mappings(of: 1).map(\.file).contains("guest-kernel.0"))
  #expect(image.mappings(of: 2).map(\.file).contains("guest-kernel.1"))
  // The pieces of an initial RAM disk follow each other on pages.
  let pieces = image.mappings(of: 3).filter { $0.file.hasPrefix("guest-initrd.") }
  #expect(pieces.map(\.address) == [AddressMap.guestInitrd, AddressMap.guestInitrd + 8192])
  #expect(number(image.contents("configuration.2") ?? [], 56, as: UInt64.self) == 8193)
  // No initial RAM disk, no mapping.
  #expect(!image.mappings(of: 4).contains { $0.file.hasPrefix("guest-initrd.") })
  #expect(number(image.contents("configuration.3") ?? [], 56, as: UInt64.self) == 0)
}

@Test func `the domains are the console and a VMM for each VM`() throws {
  var second = machine("second", core: 3)
  second.onCrash = .restart
  second.ifCoreMissing = .place
  let image = try pack(system([machine("first"), second]))
  let domains = image.records(.domains, size: 40)

  #expect(domains.map { text($0.prefix(24)) } == ["console", "first", "second"])
  #expect(domains.map { image.files[number($0, 24, as: UInt32.self)].name } == ["console", "vmm", "vmm"])
  #expect(
    domains.map { image.files[number($0, 28, as: UInt32.self)].name }
      == ["console.symbols", "vmm.symbols", "vmm.symbols"])
  #expect(domains.map { number($0, 32, as: UInt16.self) } == [0, 0, 3])  // core
  #expect(domains.map { $0[34] } == [5, 3, 3])  // priority
  #expect(domains.map { $0[35] } == [0b1110, 0b0001, 0b1001])  // traits
  #expect(domains.map { $0[36] } == [1, 0, 1])  // on crash
}

@Test func `the console reaches the log, the states, its rings and its port`() throws {
  let image = try pack(system([machine("vm0"), machine("vm1")]))

  #expect(
    image.mappings(of: 0).map(\.description) == [
      "log 65536 at 0x12000000", "status 12288 at 0x13000000", "workspace 200704 at 0x40000000 rw",
      "file console.configuration 4096 at 0x10000000", "shared 69632 at 0x20000000 rw",
      "shared 20480 at 0x20080000 rw", "shared 69632 at 0x20100000 rw", "shared 20480 at 0x20180000 rw",
    ])
  #expect(image.records(.ports, size: 8) == [le(UInt32(0)) + le(UInt16(0x2f8)) + le(UInt16(8))])
  #expect(
    image.records(.interrupts, size: 12) == [le(UInt32(0)) + le(UInt16(0)) + le(UInt16(1)) + le(UInt32(3))])
}

@Test func `COM1 has ports and interrupt of its own`() throws {
  let image = try pack(system([machine("vm0")], uart: .com1))

  #expect(number(image.record(.ports, 0, size: 8), 4, as: UInt16.self) == 0x3f8)
  #expect(number(image.record(.interrupts, 0, size: 12), 8, as: UInt32.self) == 4)
  #expect(number(image.contents("console.configuration") ?? [], 4, as: UInt16.self) == 0x3f8)
}

@Test func `a VMM reaches its files, its guest's memory and its rings`() throws {
  let image = try pack(system([machine("vm0"), machine("vm1", memory: 5 * .GiB)]))

  #expect(
    image.mappings(of: 2).map(\.description) == [
      "guestMemory 3221225472 at 0x1000000000 rw", "guestMemory 2147483648 at 0x2000000000 rw",
      "workspace 4096 at 0x11800000 rw", "file guest-kernel.0 8192 at 0x50000000",
      "file guest-initrd.0 8192 at 0x80000000",
      "shared 69632 at 0x20000000 rw", "shared 20480 at 0x20080000 rw", "file configuration.1 4096 at 0x10000000",
    ])
}

@Test func `the rings of a VM are the console's rings at that VM's slot`() throws {
  let image = try pack(system([machine("vm0"), machine("vm1")]))
  let rings = (0..<3).map { image.mappings(of: $0).filter { $0.kind == .shared }.map(\.region) }

  #expect(Array(rings[0].prefix(2)) == rings[1])
  #expect(Array(rings[0].suffix(2)) == rings[2])
  #expect(
    image.records(.channels, size: 12) == [
      le(UInt32(0)) + le(UInt32(1)) + le(UInt16(0)) + le(UInt16(0)),
      le(UInt32(0)) + le(UInt32(2)) + le(UInt16(1)) + le(UInt16(0)),
    ])
}

@Test func `guest memory has a hole below 4 GiB, and nobody else's guest maps it`() throws {
  let image = try pack(system([machine("vm0", memory: 3 * .GiB), machine("vm1", memory: 3 * .GiB + 2 * .MiB)]))
  let mappings = image.records(.guestMappings, size: 24)

  #expect(mappings.map { number($0, 0, as: UInt32.self) } == [1, 1, 2, 2, 2])
  #expect(mappings.map { number($0, 8, as: UInt64.self) } == [0, 0xfee0_0000, 0, 0x1_0000_0000, 0xfee0_0000])
  #expect(mappings.map { number($0, 16, as: UInt64.self) } == [0, 1, 0, 0, 1])
  #expect(Set(mappings.map { number($0, 4, as: UInt32.self) }).count == 5)
  let kinds = mappings.map {
    number(image.record(.regions, number($0, 4, as: UInt32.self), size: 16), 0, as: UInt32.self)
  }
  #expect(kinds == [3, 1, 3, 3, 1])
}

@Test func `a VMM's configuration says what its VM is`() throws {
  let image = try pack(system([machine("vm0"), machine("big", memory: 4 * .GiB)]))
  let configuration = try #require(image.contents("configuration.1"))

  #expect(configuration.count == MemoryLayout<VMMConfiguration>.size)
  #expect(number(configuration, 0, as: UInt32.self) == Int(VMMConfiguration.version))
  #expect(number(configuration, 4, as: UInt32.self) == 1)
  #expect(text(configuration[8..<32]) == "big")
  #expect(number(configuration, 32, as: UInt64.self) == 3 << 30)
  #expect(number(configuration, 40, as: UInt64.self) == 1 << 30)
  #expect(number(configuration, 48, as: UInt64.self) == kernel.count)
  #expect(number(configuration, 56, as: UInt64.self) == initrd.count)
  #expect(number(configuration, 64, as: UInt32.self) == 0)  // devices
  #expect(text(configuration[VMMConfiguration.commandLineOffset...]) == "console=ttyS0,115200")
}

@Test func `the console's configuration lists port, speed and VMs`() throws {
  let image = try pack(system([machine("vm0"), machine("vm1", memory: 96 * .MiB)]))
  let configuration = try #require(image.contents("console.configuration"))

  #expect(configuration.count == MemoryLayout<ConsoleConfiguration>.size)
  #expect(number(configuration, 4, as: UInt16.self) == 0x2f8)
  #expect(number(configuration, 6, as: UInt16.self) == 2)
  #expect(number(configuration, 8, as: UInt32.self) == 9600)
  #expect(text(configuration[16..<40]) == "vm0")
  #expect(text(configuration[56..<80]) == "vm1")
  #expect(number(configuration, 80, as: UInt32.self) == 2)
  #expect(number(configuration, 88, as: UInt64.self) == 96 << 20)
  #expect(text(configuration[656..<680]) == "test")
}

@Test func `the longest command line keeps its final zero`() throws {
  var long = machine("vm0")
  long.commandLine = String(repeating: "x", count: 2047)
  let configuration = try #require(try pack(system([long])).contents("configuration.0"))

  #expect(text(configuration[VMMConfiguration.commandLineOffset...]) == long.commandLine)
  #expect(configuration[VMMConfiguration.commandLineOffset + 2047] == 0)
}

@Test(arguments: [1, 4, 10])
func `the kernel's reader accepts the image and reads the same`(count: Int) throws {
  let memory: [UInt64] = [32 * .MiB, 3 * .GiB, 6 * .GiB]
  let packed = try pack(system((0..<count).map { machine("vm\($0)", memory: memory[$0 % 3], core: $0) }))

  let image = try BootImage(packed.bytes.span.bytes)

  #expect(image.count(.domains) == count + 1)
  #expect(image.count(.files) == packed.files.count)
  #expect(image.size == UInt64(packed.bytes.count))
  #expect(image.domain(count).name == ShortName(text: "vm\(count - 1)"))
  for domain in 0...count {
    let program = try ELFImage(image.contents(ofFile: Int(image.domain(domain).program)), below: BootImage.programEnd)
    #expect(program.entry == 0x40_0000)
    #expect(program.segmentCount == 3)
  }
}

@Test func `the same input makes the same bytes`() throws {
  let ten = system((0..<10).map { machine("vm\($0)") })

  #expect(try pack(ten).bytes == pack(ten).bytes)
}

@Test func `debug information stays outside the image`() throws {
  let image = try pack(system([machine("vm0")]))

  #expect(image.contents("vmm") == (try ELFFile(MadeELF().bytes).stripped()))
  #expect(!String(decoding: image.bytes, as: UTF8.self).contains("debug information"))
}

@Test func `a program that is no ELF file is refused by name`() {
  let elf = MadeELF().bytes
  let programs = Programs(kernel: elf, vmm: [1, 2, 3], console: elf)

  let error = #expect(throws: PackingError.self) {
    try ImagePacker.pack(system([machine("vm0")]), programs: programs, guests: [GuestBoot(kernel: kernel)])
  }

  #expect(error == .badProgram("vmm", .notELF))
  #expect(error?.description == "the program 'vmm' cannot be packed: it is not an ELF file for x86-64")
}

@Test func `an image with more of something than a kernel takes is refused`() {
  let pieces = (0..<130).map { [UInt8](repeating: UInt8($0), count: 1) }
  let elf = MadeELF().bytes

  let error = #expect(throws: PackingError.self) {
    try ImagePacker.pack(
      system([machine("vm0")]), programs: Programs(kernel: elf, vmm: elf, console: elf),
      guests: [GuestBoot(kernel: kernel, initrd: pieces)])
  }

  #expect(error == .tooMany("files", limit: 128))
}
