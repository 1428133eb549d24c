// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Speculation

/// A processor as it describes itself, and what is to be planned for it.
struct Sample: Sendable, CustomStringConvertible {
  let name: String
  let facts: SpeculationFacts
  let affected: Vulnerabilities
  let measures: Measures
  var control = SpeculationControl.none
  var open = Vulnerabilities.none
  var leaks = false

  var description: String { name }
}

extension SpeculationFacts {
  init(
    _ vendor: ProcessorIdentity.Vendor, _ family: UInt32, _ model: UInt32, _ stepping: UInt32,
    _ features: [SpeculationFeature] = [], _ capabilities: ArchitecturalCapabilities = .none
  ) {
    self.init(ProcessorIdentity(vendor, family: family, model: model, stepping: stepping))
    for feature in features { add(feature) }
    self.capabilities = capabilities
  }
}

extension Sample {
  private static let basics: [SpeculationFeature] = [.vectors, .random, .control, .threadControl, .storeControl]
  private static let old: [SpeculationFeature] = basics + [.clearsBuffers, .flushesL1]
  private static let always: Vulnerabilities = .bounds | .branches | .stores
  private static let allOfMDS: Vulnerabilities = .meltdown | .terminalFault | .buffers | .lazyState | .pageSizes
  private static let newer: ArchitecturalCapabilities =
    .keepsPrivilege | .enhancedControl | .needsNoL1Flush | .keepsBuffers | .changesPageSizes | .keepsAborted
  private static let onChange: Measures = .forgetsBranches | .clearsBuffers
  private static let oldMeasures: Measures =
    onChange | .flushesL1 | .clearsVectors | .fillsReturns | .setsControl | .mapsSmall

  static let all: [Sample] = intel + amd

  static let intel: [Sample] = [
    Sample(
      name: "Xeon D-2146NT, the reference machine's",
      facts: SpeculationFacts(
        .intel, 6, 0x55, 4, old + [.transactions, .capabilities],
        .returnsByBranches | .clearsFillBuffers | .gatherControl),
      affected: always | allOfMDS | .aborts | .staleData | .returns | .gather, measures: oldMeasures,
      open: .meltdown, leaks: true),
    Sample(
      name: "Skylake-SP with the microcode it was sold with",
      facts: SpeculationFacts(.intel, 6, 0x55, 4, [.vectors, .transactions]),
      affected: always | allOfMDS | .aborts | .staleData | .returns | .gather,
      measures: .clearsVectors | .fillsReturns | .mapsSmall,
      open: .meltdown | .branches | .terminalFault | .buffers | .aborts | .staleData | .gather, leaks: true),
    Sample(
      name: "Cascade Lake",
      facts: SpeculationFacts(
        .intel, 6, 0x55, 7, old + [.transactions, .capabilities],
        .keepsPrivilege | .enhancedControl | .needsNoL1Flush | .keepsBuffers | .transactionControl
          | .clearsFillBuffers | .gatherControl),
      affected: always | .history | .returns | .targets | .aborts | .staleData | .gather | .pageSizes,
      measures: onChange | .fillsReturns | .setsControl | .stopsTransactions | .mapsSmall,
      control: .restricted, leaks: true),
    Sample(
      name: "Ice Lake-SP",
      facts: SpeculationFacts(
        .intel, 6, 0x6a, 6, old + [.capabilities], newer | .clearsFillBuffers | .gatherControl),
      affected: always | .history | .targets | .staleData | .gather,
      measures: onChange | .fillsReturns | .setsControl, control: .restricted, leaks: true),
    Sample(
      name: "Sapphire Rapids",
      facts: SpeculationFacts(
        .intel, 6, 0x8f, 8, old + [.capabilities, .historyControl, .returnControl],
        newer | .keepsSharedBuffers | .keepsFillBuffers | .keepsPrimaryBuffers | .returnsRestricted | .keepsGathered
          | .keepsRegisterFile | .selectsTargets),
      affected: always | .history, measures: .forgetsBranches | .fillsReturns | .setsControl,
      control: .restricted | .returnsOnly | .noHistory),
    Sample(
      name: "Alder Lake",
      facts: SpeculationFacts(
        .intel, 6, 0x97, 2, old + [.capabilities, .historyControl, .returnControl],
        newer | .keepsSharedBuffers | .keepsFillBuffers | .keepsPrimaryBuffers | .returnsRestricted | .keepsGathered
          | .clearsRegisterFile | .selectsTargets),
      affected: always | .history | .registerFile, measures: onChange | .fillsReturns | .setsControl,
      control: .restricted | .returnsOnly | .noHistory, leaks: true),
    Sample(
      name: "Westmere", facts: SpeculationFacts(.intel, 6, 0x2c, 2, [.control, .clearsBuffers, .flushesL1]),
      affected: always | allOfMDS, measures: oldMeasures, open: .meltdown, leaks: true),
    Sample(
      name: "Haswell", facts: SpeculationFacts(.intel, 6, 0x3c, 3, old + [.randomControl]),
      affected: always | allOfMDS | .randomNumbers, measures: oldMeasures, open: .meltdown, leaks: true),
    Sample(
      name: "Skylake-X as Bochs makes it", facts: SpeculationFacts(.intel, 6, 0x55, 4, [.vectors, .random]),
      affected: always | allOfMDS | .staleData | .returns | .gather,
      measures: .clearsVectors | .fillsReturns | .mapsSmall,
      open: .meltdown | .branches | .terminalFault | .buffers | .staleData | .gather, leaks: true),
  ]

  private static let amdBasics: [SpeculationFeature] = [
    .vectors, .random, .barrier, .amdControl, .amdThreadControl, .amdStoreControl, .restoresPointers,
  ]

  static let amd: [Sample] = [
    Sample(
      name: "Zen", facts: SpeculationFacts(.amd, 0x17, 0x01, 2, [.vectors, .random, .barrier]),
      affected: always | .returns | .returnStack, measures: onExit | .clearsPointers,
      open: .returns | .returnStack, leaks: true),
    Sample(
      name: "Zen 2", facts: SpeculationFacts(.amd, 0x17, 0x31, 0, amdBasics),
      affected: always | .returns | .returnStack | .vectorRegisters,
      measures: onExit | .setsControl | .setsBackup, open: .returns | .returnStack, leaks: true),
    Sample(
      name: "Zen 3 with the microcode of 2022",
      facts: SpeculationFacts(.amd, 0x19, 0x01, 1, amdBasics + [.keepsBranchTypes]),
      affected: always | .returnStack | .scheduling, measures: .forgetsBranches | .fillsReturns | .setsControl,
      open: .returnStack | .scheduling, leaks: true),
    Sample(
      name: "Zen 3",
      facts: SpeculationFacts(
        .amd, 0x19, 0x01, 1, amdBasics + [.keepsBranchTypes, .barrierForgetsTypes, .amdClearsBuffers]),
      affected: always | .returnStack | .scheduling, measures: onExit | .setsControl | .clearsBuffers,
      open: .returnStack,
      leaks: true),
    Sample(
      name: "Zen 4",
      facts: SpeculationFacts(
        .amd, 0x19, 0x11, 1,
        amdBasics + [.keepsBranchTypes, .automaticControl, .barrierForgetsTypes, .amdClearsBuffers]),
      affected: always | .returnStack | .scheduling, measures: onExit | .setsControl | .clearsBuffers | .setsAutomatic,
      open: .returnStack, leaks: true),
    Sample(
      name: "Zen 5 without the bit of BP_CFG", facts: SpeculationFacts(.amd, 0x1a, 0x44, 0, zen5),
      affected: always | .returnStack, measures: onExit | .setsControl | .setsAutomatic),
    Sample(
      name: "Zen 5", facts: SpeculationFacts(.amd, 0x1a, 0x02, 1, zen5 + [.reducesReturns]),
      affected: always | .returnStack,
      measures: .forgetsBranches | .fillsReturns | .setsControl | .setsAutomatic | .setsReduced),
    Sample(
      name: "EPYC as QEMU translates it", facts: translated, affected: .none, measures: .none),
  ]

  private static let onExit: Measures = .forgetsBranches | .fillsReturns | .forgetsAtExit
  private static let zen5: [SpeculationFeature] =
    amdBasics + [
      .keepsBranchTypes, .automaticControl, .barrierForgetsTypes, .keepsKernelReturns, .keepsStoreQueue, .keepsL1,
    ]

  private static var translated: SpeculationFacts {
    SpeculationFacts(ProcessorIdentity(.amd, family: 0x17, model: 1, stepping: 2), isTranslated: true)
  }
}
