// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// What a processor tells of itself that a plan is made from.
package struct SpeculationFacts: Sendable {
  package var identity: ProcessorIdentity
  /// Words of CPUID, in the order of `SpeculationWord`.
  private var words: InlineArray<7, UInt32> = InlineArray(repeating: 0)
  package var capabilities: ArchitecturalCapabilities = .none
  /// The microcode's revision, as the maker counts.
  package var revision: UInt32 = 0
  /// Whether it is a program that translates instructions, which guesses nothing.
  package var isTranslated: Bool

  package init(_ identity: ProcessorIdentity, isTranslated: Bool = false) {
    self.identity = identity
    self.isTranslated = isTranslated
  }

  /// Asks a processor.
  /// - Parameter register: a model-specific register of its.
  package init(
    isTranslated: Bool, _ leaf: (_ number: UInt32, _ part: UInt32) -> CPUIDAnswer, register: (UInt32) -> UInt64
  ) {
    self.init(ProcessorIdentity(leaf), isTranslated: isTranslated)
    let (last, lastExtended) = (leaf(0, 0).eax, leaf(0x8000_0000, 0).eax)
    self[.leaf1ECX] = leaf(1, 0).ecx
    if last >= 7 {
      let features = leaf(7, 0)
      self[.leaf7EBX] = features.ebx
      self[.leaf7EDX] = features.edx
      if features.eax >= 2 { self[.leaf7Sub2EDX] = leaf(7, 2).edx }
    }
    if lastExtended >= 0x8000_0008 { self[.extensionsEBX] = leaf(0x8000_0008, 0).ebx }
    if lastExtended >= 0x8000_0021 {
      self[.extended2EAX] = leaf(0x8000_0021, 0).eax
      self[.extended2ECX] = leaf(0x8000_0021, 0).ecx
    }
    if identity.vendor == .intel, has(.capabilities) {
      capabilities = ArchitecturalCapabilities(rawValue: register(0x10A))
    }
    guard !isTranslated else { return }
    let value = register(0x8B)
    revision = UInt32(truncatingIfNeeded: identity.vendor == .intel ? value >> 32 : value)
  }

  package subscript(_ word: SpeculationWord) -> UInt32 {
    get { words[word.rawValue] }
    set { words[word.rawValue] = newValue }
  }

  /// Whether CPUID has this bit.
  package func has(_ feature: SpeculationFeature) -> Bool { self[feature.word] >> feature.bit & 1 == 1 }

  /// Says that CPUID has this bit.
  package mutating func add(_ feature: SpeculationFeature) { self[feature.word] |= 1 << feature.bit }

  /// What this processor gives away if nothing is done, by lists and by what it says itself.
  package var vulnerabilities: Vulnerabilities {
    guard !isTranslated else { return .none }
    switch identity.vendor {
    case .intel: return intel
    case .amd: return amd
    case .other: return .bounds | .branches | .stores | .meltdown
    }
  }

  private var intel: Vulnerabilities {
    let model = AffectedModels.intel(model: identity.model, stepping: identity.stepping)
    let says = capabilities
    var found: Vulnerabilities = .bounds | .branches | model.listed
    found.set(.stores, to: !says.contains(.keepsStoreOrder))
    found.set(.meltdown | .terminalFault | .lazyState, to: !says.contains(.keepsPrivilege))
    found.set(.buffers, to: !says.contains(.keepsBuffers))
    found.set(.pageSizes, to: !says.contains(.changesPageSizes))
    let hasTransactions = has(.transactions) || says.contains(.transactionControl)
    found.set(.aborts, to: hasTransactions && !says.contains(.keepsAborted))
    found.set(.history, to: says.contains(.enhancedControl) && !says.contains(.keepsHistory))
    if says.contains(.keepsStaleData) { found.remove(.staleData) }
    if says.contains(.returnsByBranches) { found.insert(.returns) }
    if says.contains(.keepsGathered) || !has(.vectors) { found.remove(.gather) }
    if !has(.random) { found.remove(.randomNumbers) }
    if says.contains(.clearsRegisterFile) { found.insert(.registerFile) }
    if says.contains(.keepsRegisterFile) { found.remove(.registerFile) }
    if says.contains(.selectsTargets) { found.remove(.targets) }
    found.remove(model.never)
    return found
  }

  private var amd: Vulnerabilities {
    let model = AffectedModels.amd(family: identity.family, model: identity.model)
    var found: Vulnerabilities = .bounds | .branches | model.listed
    found.set(.stores, to: !has(.keepsStoreOrder))
    if has(.keepsBranchTypes) { found.remove(.returns) }
    // What keeps ring 3's training from ring 0 (SRSO_USER_KERNEL_NO) does not keep a guest's from its host.
    if has(.keepsReturns) { found.remove(.returnStack) }
    if has(.keepsStoreQueue), has(.keepsL1) { found.remove(.scheduling) }
    found.remove(model.never)
    return found
  }
}
