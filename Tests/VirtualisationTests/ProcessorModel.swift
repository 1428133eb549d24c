// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

@testable import Virtualisation

/// Capability registers of processors, by the year they came out; an emulator's last.
struct ProcessorModel: Sendable {
  let name: String
  /// CPUID 1, eax.
  let signature: UInt32
  let registers: [UInt32: UInt64]

  var capabilities: VMXCapabilities { VMXCapabilities(signature: signature) { registers[$0] ?? 0 } }

  /// The same processor with other registers.
  func with(_ changes: [UInt32: UInt64], signature: UInt32? = nil) -> ProcessorModel {
    ProcessorModel(
      name: name, signature: signature ?? self.signature, registers: registers.merging(changes) { $1 })
  }

  /// The registers of 2011, from which later processors differ in a few.
  private init(name: String, signature: UInt32, changes: [UInt32: UInt64]) {
    let common: [UInt32: UInt64] = [
      0x480: 0x00DA_0400_0000_0010,
      0x481: 0x7F_0000_0016, 0x482: 0xFFF9_FFFE_0401_E172,
      0x483: 0x7F_FFFF_0003_6DFF, 0x484: 0xFFFF_0000_11FF, 0x485: 0x4_01E5,
      0x486: 0x8000_0021, 0x487: 0xFFFF_FFFF, 0x488: 0x2000, 0x489: 0x6_27FF,
      0x48B: 0xFF_0000_0000, 0x48C: 0xF01_0611_4141,
      0x48D: 0x7F_0000_0016, 0x48E: 0xFFF9_FFFE_0400_6172,
      0x48F: 0x7F_FFFF_0003_6DFB, 0x490: 0xFFFF_0000_11FB,
    ]
    self.init(name: name, signature: signature, registers: common.merging(changes) { $1 })
  }

  private init(name: String, signature: UInt32, registers: [UInt32: UInt64]) {
    self.name = name
    self.signature = signature
    self.registers = registers
  }

  /// The first that runs guests here; its timer does not keep its rate.
  static let westmere = ProcessorModel(name: "Core i5-520M", signature: 0x2_0655, changes: [:])
  static let sandyBridge = ProcessorModel(name: "Core i7-2635QM", signature: 0x2_06A7, changes: [:])
  static let ivyBridge = ProcessorModel(
    name: "Core i5-3570", signature: 0x3_06A9, changes: [0x489: 0x17_67FF, 0x48B: 0x8FF_0000_0000])
  static let silvermont = ProcessorModel(
    name: "Atom C2750", signature: 0x4_06D8, changes: [0x489: 0x10_27FF, 0x48B: 0x28EF_0000_0000])
  static let skylake = ProcessorModel(
    name: "Core i7-6700K", signature: 0x5_06E3,
    changes: [
      0x480: 0x00DA_0400_0000_0004, 0x489: 0x37_67FF, 0x48B: 0x5_7CFF_0000_0000, 0x48C: 0xF01_0633_4141,
    ])
  /// The kind of the reference machine: what Skylake has, and APIC virtualisation, posted interrupts, TSC scaling.
  static let skylakeServer = skylake.with(
    [
      0x481: 0xFF_0000_0016, 0x48D: 0xFF_0000_0016, 0x48B: 0x0237_7FFF_0000_0000,
      0x483: 0x1FF_FFFF_0003_6DFF, 0x48F: 0x1FF_FFFF_0003_6DFB,
      0x484: 0x3_FFFF_0000_11FF, 0x490: 0x3_FFFF_0000_11FB, 0x48C: 0xF01_0673_4141, 0x485: 0x7004_C1E7,
    ], signature: 0x5_0654)
  /// One on which a hypervisor below keeps the timer to itself.
  static let nested = skylake.with([0x481: 0x3F_0000_0016, 0x48D: 0x3F_0000_0016])

  /// The emulator's corei7_skylake_x, as `probe` on the kernel's command line prints it.
  static let bochs = ProcessorModel(
    name: "Bochs 2.7", signature: 0x5_0654,
    registers: [
      0x480: 0xD8_1000_0000_002B, 0x481: 0x7F_0000_0016, 0x482: 0xF7F9_FFFE_0401_E172,
      0x483: 0x7F_FFFF_0003_6DFF, 0x484: 0xFFFF_0000_11FF, 0x485: 0x6004_01E0,
      0x486: 0x8000_0021, 0x487: 0xFFFF_FFFF, 0x488: 0x2000, 0x489: 0x37_27FF,
      0x48B: 0x217_7FFF_0000_0000, 0x48C: 0xF01_0633_4141, 0x48D: 0x7F_0000_0016,
      0x48E: 0xF7F9_FFFE_0400_6172, 0x48F: 0x7F_FFFF_0003_6DFB, 0x490: 0xFFFF_0000_11FB,
    ])

  /// The same model of a newer one.
  static let newBochs = ProcessorModel(
    name: "Bochs 3.0", signature: 0x5_0654,
    registers: [
      0x480: 0xD8_1000_0000_002B, 0x481: 0xFF_0000_0016, 0x482: 0xFFF9_FFFE_0401_E172,
      0x483: 0x407F_FFFF_0003_6DFF, 0x484: 0xFFFF_0000_11FF, 0x485: 0x6004_01E0,
      0x486: 0x8000_0021, 0x487: 0xFFFF_FFFF, 0x488: 0x2000, 0x489: 0x37_27FF,
      0x48B: 0x257_7FFF_0000_0000, 0x48C: 0xF01_0673_4141, 0x48D: 0xFF_0000_0016,
      0x48E: 0xFFF9_FFFE_0400_6172, 0x48F: 0x407F_FFFF_0003_6DFB, 0x490: 0xFFFF_0000_11FB,
    ])

  static let fit = [westmere, sandyBridge, ivyBridge, silvermont, skylake, skylakeServer, nested, bochs, newBochs]
}
