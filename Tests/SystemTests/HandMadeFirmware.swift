// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver

/// A firmware that does nothing but start Roost's kernel as a PVH loader would, with a memory map and ACPI tables that no
/// real one should have. What emulators' own firmware does right cannot be seen to be handled when it is wrong.
struct HandMadeFirmware {
  /// Base, size and kind as in E820.
  var memoryMap: [(UInt64, UInt64, UInt32)] = [(0, 0xa_0000, 1), (0x10_0000, 0x1ff0_0000, 1)]
  /// ACPI tables, from the signature on; their lengths and sums are put in, and then `damaged` ones spoilt.
  var tables: [(signature: String, body: [UInt8])] = []
  /// Signatures of tables whose sum is to be wrong.
  var damaged: Set<String> = []

  /// Where the information for the kernel, the tables and the boot image are; the machine has 512 MiB.
  private static let information: UInt32 = 0x2_0000
  private static let image = 0x1000_0000

  /// Starts a machine with this firmware and `devices`, booting the boot image of `description`; its console is COM2.
  func boot(_ description: String, name: String, _ devices: [String] = []) async throws -> TestMachine {
    let base = "\(Repository.root)/.build/firmware-\(name)"
    let image = base + ".image"
    try await Tool.run([Repository.roost, "build", "\(Repository.root)/\(description)", "-o", image])
    let size = try FileManager.default.attributesOfItem(atPath: image)[.size] as? Int ?? 0
    let kernel = Repository.image("KernelImage")
    try Data(rom(entry: Self.entry(of: kernel))).write(to: URL(fileURLWithPath: base + ".rom"))
    try Data(content(imageSize: UInt64(size))).write(to: URL(fileURLWithPath: base + ".tables"))
    return try await TestMachine(
      command: [
        "qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", "EPYC,+svm,+npt", "-smp", "2", "-m", "512",
        "-display", "none", "-nodefaults", "-no-reboot", "-bios", base + ".rom",
        "-device", "loader,file=\(kernel)",
        "-device", "loader,file=\(image),addr=\(Self.image),force-raw=on",
        "-device", "loader,file=\(base).tables,addr=\(Self.information),force-raw=on",
        "-serial", "null", "-serial", "unix:\(TestMachine.socket),server=on,wait=on",
      ] + devices)
  }

  // MARK: - The ROM

  /// Where the kernel's note says that a PVH loader enters it.
  private static func entry(of kernel: String) throws -> UInt32 {
    let note: [UInt8] = [4, 0, 0, 0, 8, 0, 0, 0, 18, 0, 0, 0] + Array("Xen".utf8) + [0]
    guard let file = FileManager.default.contents(atPath: kernel), let range = file.range(of: Data(note)) else {
      throw ConsoleFailure(description: "\(kernel) has no note for PVH")
    }
    return file[range.upperBound..<range.upperBound + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// 64 KiB at the top of 4 GiB: from the reset vector into protected mode, and into the kernel.
  private func rom(entry: UInt32) -> [UInt8] {
    let top: UInt32 = 0xffff_0000
    var rom = [UInt8](repeating: 0xf4, count: 0x1_0000)
    func put(_ bytes: [UInt8], at offset: Int) { rom.replaceSubrange(offset..<offset + bytes.count, with: bytes) }
    put(bytes(UInt64(0)) + bytes(0x00cf_9a00_0000_ffff as UInt64) + bytes(0x00cf_9200_0000_ffff as UInt64), at: 0x100)
    put(bytes(UInt16(23)) + bytes(top + 0x100), at: 0x120)
    // cli; lgdt cs:[0x120]; mov eax, cr0; or al, 1; mov cr0, eax; jmp 8:top + 0x40
    put([0xfa, 0x2e, 0x66, 0x0f, 0x01, 0x16, 0x20, 0x01, 0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0], at: 0)
    put([0x66, 0xea] + bytes(top + 0x40) + [8, 0], at: 16)
    // mov ax, 16; mov ds, es and ss, ax; mov ebx, information; mov eax, entry; jmp eax
    put([0x66, 0xb8, 0x10, 0x00, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0xbb] + bytes(Self.information), at: 0x40)
    put([0xb8] + bytes(entry) + [0xff, 0xe0], at: 0x4f)
    // jmp 0
    put([0xe9] + bytes(UInt16(0x1_0000 - 0xfff3)), at: 0xfff0)
    return rom
  }

  // MARK: - What it leaves in memory

  /// The start information, its lists, and the ACPI tables behind.
  private func content(imageSize: UInt64) -> [UInt8] {
    let base = UInt64(Self.information)
    let (modules, map, root, list) = (base + 0x80, base + 0x100, base + 0x800, base + 0x880)
    var content = bytes(0x336e_c578 as UInt32) + bytes(UInt32(1)) + bytes(UInt32(0)) + bytes(UInt32(1))
    content += bytes(modules) + bytes(UInt64(0)) + bytes(root) + bytes(map) + bytes(UInt32(memoryMap.count))
    func put(_ more: [UInt8], at address: UInt64) {
      content += [UInt8](repeating: 0, count: Int(address - base) - content.count) + more
    }
    put(bytes(UInt64(Self.image)) + bytes(imageSize) + bytes(UInt64(0)) + bytes(UInt64(0)), at: modules)
    put(memoryMap.flatMap { bytes($0) + bytes($1) + bytes($2) + bytes(UInt32(0)) }, at: map)
    var pointer = Array("RSD PTR ".utf8) + [0] + Array("ROOST ".utf8) + [0] + bytes(UInt32(list))
    Self.balance(&pointer, at: 8)
    put(pointer, at: root)

    let places = tables.indices.map { base + 0x1000 + UInt64($0) * 0x800 }
    put(Self.table("RSDT", places.flatMap { bytes(UInt32($0)) }), at: list)
    for (table, place) in zip(tables, places) {
      var sealed = Self.table(table.signature, table.body)
      if damaged.contains(table.signature) { sealed[9] &+= 1 }
      put(sealed, at: place)
    }
    return content
  }

  private static func table(_ signature: String, _ body: [UInt8]) -> [UInt8] {
    var table = Array(signature.utf8) + bytes(UInt32(36 + body.count)) + [1, 0]
    table += [UInt8](repeating: 0x20, count: 26) + body
    balance(&table, at: 9)
    return table
  }

  private static func balance(_ bytes: inout [UInt8], at place: Int) { bytes[place] = 0 &- bytes.reduce(0, &+) }
}

// MARK: - Parts of tables

extension HandMadeFirmware {
  /// The content of a MADT with these entries, each from its type on without its length.
  static func madt(_ entries: [[UInt8]]) -> [UInt8] {
    bytes(0xfee0_0000 as UInt32) + bytes(UInt32(1)) + entries.flatMap { [$0[0], UInt8($0.count + 1)] + $0.dropFirst() }
  }

  static func processor(_ number: UInt8) -> [UInt8] { [0, number, number, 1, 0, 0, 0] }

  static func x2processor(_ number: UInt32) -> [UInt8] { [9, 0, 0] + bytes(number) + bytes(UInt32(1)) + bytes(number) }

  static let ioapic: [UInt8] = [1, 0, 0] + bytes(0xfec0_0000 as UInt32) + bytes(UInt32(0))

  /// The content of a DMAR whose only unit is for all devices, but for the memory at `reserved` that a device needs.
  static func dmar(reserved: ClosedRange<UInt64>, for device: UInt8) -> [UInt8] {
    let unit: [UInt8] = [0, 0, 16, 0, 1, 0, 0, 0] + bytes(0xfed9_0000 as UInt64)
    let region: [UInt8] = [1, 0, 32, 0, 0, 0, 0, 0] + bytes(reserved.lowerBound) + bytes(reserved.upperBound)
    return [38, 0] + [UInt8](repeating: 0, count: 10) + unit + region + [1, 8, 0, 0, 0, 0, device, 0]
  }
}

/// Little-endian bytes of a number.
private func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
  (0..<MemoryLayout<T>.size).map { UInt8(truncatingIfNeeded: value >> T(8 * $0)) }
}
