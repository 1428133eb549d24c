// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

@testable import Virtualisation

/// Capability registers of processors, by the year they came out; an emulator's last.
struct ProcessorModel: Sendable {
  let name: String
  let registers: [UInt32: UInt64]

  var capabilities: VMXCapabilities { VMXCapabilities { registers[$0] ?? 0 } }

  /// The same processor with other registers.
  func with(_ changes: [UInt32: UInt64]) -> ProcessorModel {
    ProcessorModel(name: name, registers: registers.merging(changes) { $1 })
  }

  /// The registers of 2011, from which later processors differ in a few.
  private init(name: String, changes: [UInt32: UInt64]) {
    let common: [UInt32: UInt64] = [
      0x480: 0x00DA_0400_0000_0010,
      0x481: 0x7F_0000_0016, 0x482: 0xFFF9_FFFE_0401_E172,
      0x483: 0x7F_FFFF_0003_6DFF, 0x484: 0xFFFF_0000_11FF,
      0x486: 0x8000_0021, 0x487: 0xFFFF_FFFF, 0x488: 0x2000, 0x489: 0x6_27FF,
      0x48B: 0xFF_0000_0000, 0x48C: 0xF01_0611_4141,
      0x48D: 0x7F_0000_0016, 0x48E: 0xFFF9_FFFE_0400_6172,
      0x48F: 0x7F_FFFF_0003_6DFB, 0x490: 0xFFFF_0000_11FB,
    ]
    self.init(name: name, registers: common.merging(changes) { $1 })
  }

  private init(name: String, registers: [UInt32: UInt64]) {
    self.name = name
    self.registers = registers
  }

  static let sandyBridge = ProcessorModel(name: "Core i7-2635QM", changes: [:])
  static let ivyBridge = ProcessorModel(name: "Core i5-3570", changes: [0x489: 0x17_67FF, 0x48B: 0x8FF_0000_0000])
  static let silvermont = ProcessorModel(
    name: "Atom C2750", changes: [0x489: 0x10_27FF, 0x48B: 0x28EF_0000_0000])
  static let skylake = ProcessorModel(
    name: "Core i7-6700K",
    changes: [
      0x480: 0x00DA_0400_0000_0004, 0x489: 0x37_67FF, 0x48B: 0x5_7CFF_0000_0000, 0x48C: 0xF01_0633_4141,
    ])
  /// The kind of the reference machine: what Skylake has, and APIC virtualisation, posted interrupts, TSC scaling.
  static let skylakeServer = skylake.with([
    0x481: 0xFF_0000_0016, 0x48D: 0xFF_0000_0016, 0x48B: 0x0237_7FFF_0000_0000,
    0x483: 0x1FF_FFFF_0003_6DFF, 0x48F: 0x1FF_FFFF_0003_6DFB,
    0x484: 0x3_FFFF_0000_11FF, 0x490: 0x3_FFFF_0000_11FB, 0x48C: 0xF01_0673_4141,
  ])

  /// The emulator's corei7_skylake_x, as `probe` on the kernel's command line prints it.
  static let bochs = ProcessorModel(
    name: "Bochs 2.7",
    registers: [
      0x480: 0xD8_1000_0000_002B, 0x481: 0x7F_0000_0016, 0x482: 0xF7F9_FFFE_0401_E172,
      0x483: 0x7F_FFFF_0003_6DFF, 0x484: 0xFFFF_0000_11FF, 0x485: 0x6004_01E0,
      0x486: 0x8000_0021, 0x487: 0xFFFF_FFFF, 0x488: 0x2000, 0x489: 0x37_27FF,
      0x48B: 0x217_7FFF_0000_0000, 0x48C: 0xF01_0633_4141, 0x48D: 0x7F_0000_0016,
      0x48E: 0xF7F9_FFFE_0400_6172, 0x48F: 0x7F_FFFF_0003_6DFB, 0x490: 0xFFFF_0000_11FB,
    ])

  static let fit = [sandyBridge, ivyBridge, silvermont, skylake, skylakeServer, bochs]
}
