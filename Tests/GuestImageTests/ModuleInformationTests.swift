// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import GuestImage

/// What modules say of themselves, read from ELF files made here.
struct ModuleInformationTests {
  /// An ELF file with a section of names and a `.modinfo`.
  private func module(_ modinfo: String, is64: Bool = true) -> [UInt8] {
    let names = Array("\0.shstrtab\0.modinfo\0".utf8)
    let information = Array(modinfo.utf8)
    let headerSize = is64 ? 64 : 52
    let sectionSize = is64 ? 64 : 40
    let namesOffset = headerSize
    let informationOffset = namesOffset + names.count
    let table = informationOffset + information.count
    var file = [UInt8](repeating: 0, count: table + 3 * sectionSize)
    func put(_ value: Int, _ width: Int, at offset: Int) {
      for index in 0..<width { file[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }
    func putSection(_ index: Int, name: Int, offset: Int, size: Int) {
      let at = table + index * sectionSize
      put(name, 4, at: at)
      put(offset, is64 ? 8 : 4, at: at + (is64 ? 0x18 : 0x10))
      put(size, is64 ? 8 : 4, at: at + (is64 ? 0x20 : 0x14))
    }
    put(0x464c_457f, 4, at: 0)
    put(is64 ? 2 : 1, 1, at: 4)
    put(table, is64 ? 8 : 4, at: is64 ? 0x28 : 0x20)
    put(sectionSize, 2, at: is64 ? 0x3a : 0x2e)
    put(3, 2, at: is64 ? 0x3c : 0x30)
    put(1, 2, at: is64 ? 0x3e : 0x32)
    file.replaceSubrange(namesOffset..<namesOffset + names.count, with: names)
    file.replaceSubrange(informationOffset..<informationOffset + information.count, with: information)
    putSection(1, name: 1, offset: namesOffset, size: names.count)
    putSection(2, name: 11, offset: informationOffset, size: information.count)
    return file
  }

  @Test(arguments: [false, true]) func `needs and aliases are read from either class of ELF file`(is64: Bool) {
    let file = module("license=GPL\0alias=pci:v0*\0alias=fs-x\0depends=virtio-ring,virtio\0", is64: is64)

    #expect(
      ModuleInformation(module: file)
        == ModuleInformation(dependencies: ["virtio_ring", "virtio"], aliases: ["pci:v0*", "fs-x"]))
  }

  @Test func `a soft dependency counts unless the kernel asks for it by itself`() {
    let file = module("softdep=pre: realtek post: crc64\0softdep=pre: crypto-crc32c\0depends=\0")

    #expect(ModuleInformation(module: file)?.dependencies == ["realtek", "crc64"])
  }

  @Test func `what is no ELF file is refused`() {
    #expect(ModuleInformation(module: []) == nil)
    #expect(ModuleInformation(module: Array("#!/bin/sh\n".utf8)) == nil)
  }

  @Test func `a file cut short anywhere is refused, and never read beyond its end`() {
    let file = module("depends=a\0")

    let unread = 24  // at the end of the last section's header
    for length in 0..<(file.count - unread) { #expect(ModuleInformation(module: Array(file[..<length])) == nil) }
  }

  @Test func `damaged bytes never trap`() {
    let file = module("depends=a,b\0alias=c\0")
    for index in 0..<file.count {
      for value: UInt8 in [0, 0x7f, 0x80, 0xff] {
        var damaged = file
        damaged[index] = value
        _ = ModuleInformation(module: damaged)
      }
    }
  }
}
