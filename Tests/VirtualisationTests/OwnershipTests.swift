// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Machine
import Testing

@testable import Virtualisation

/// The elements of a table.
private func list<let count: Int, Element>(_ table: [count of Element]) -> [Element] { table.indices.map { table[$0] } }

/// The mask of bits.
private func mask(_ bits: [Int]) -> UInt64 { bits.reduce(0) { $0 | 1 << UInt64($1) } }

/// Every bit and register that a guest can change has an owner (decision 26).
@Suite struct OwnershipTests {
  // MARK: - Control registers

  @Test func `every bit that the manuals define is in the table, once`() {
    let defined: [([ControlBit], UInt64)] = [
      (list(ControlBit.cr0), 0xE005_003F),
      // 0-14, 16-25, 27, 28, 32: all but what is reserved as of 2025.
      (list(ControlBit.cr4), 0x1_1BFF_7FFF),
      // AMD APM volume 2, figure 3-8; Intel's are among them.
      (list(ControlBit.efer), 0x36_FD01),
    ]
    for (table, bits) in defined {
      #expect(mask(table.map(\.bit)) == bits)
      #expect(Set(table.map(\.bit)).count == table.count)
      #expect(Set(table.map { "\($0.name)" }).count == table.count)
    }
  }

  @Test(arguments: ProcessorModel.fit)
  func `a guest on VMX has no bit that entry and exit do not switch`(model: ProcessorModel) throws {
    let controls = try VMXControls(model.capabilities)

    // CD and NW stay as they are over an exit, so a guest that set them would set them for all.
    let notSwitched = mask([29, 30])
    #expect(controls.cr0.guests & notSwitched == 0)
    #expect(controls.cr0.held(.max) & notSwitched == 0)
    #expect(controls.cr0.shown(0x20, shadow: notSwitched) & notSwitched == notSwitched)
    #expect(controls.cr0.refused == 0)
    #expect(controls.cr0.owned == mask([5, 29, 30]))
  }

  @Test func `NW without CD is refused, as the processor would`() {
    #expect(ControlRule.allowsCR0(0x11) && ControlRule.allowsCR0(0x6000_0011) && ControlRule.allowsCR0(0x4000_0011))
    #expect(!ControlRule.allowsCR0(0x2000_0011))
  }

  @Test(arguments: ProcessorModel.fit)
  func `machine checks are on in a guest, whatever it wrote`(model: ProcessorModel) throws {
    let rule = try VMXControls(model.capabilities).cr4
    #expect(rule.held(0) & 1 << 6 != 0 && rule.refused & 1 << 6 != 0)
    #expect(rule.shown(rule.held(0), shadow: 0) == 0)
    // No mask hides the bit there, so a guest may write back what it read.
    #expect(ControlRule.svmCR4.held(0) == 1 << 6 && ControlRule.svmCR4.refused & 1 << 6 == 0)
  }

  @Test(arguments: ProcessorModel.fit)
  func `what VMX wants set is set, and not shown`(model: ProcessorModel) throws {
    let controls = try VMXControls(model.capabilities)
    let fixed = model.capabilities.fixedCR4

    #expect(controls.cr4.held(0) & fixed == fixed)
    #expect(controls.cr4.shown(controls.cr4.held(0x20), shadow: 0x20) == 0x20)
    #expect(controls.cr4.refused & 1 << 13 != 0)
  }

  @Test func `a bit that a processor wants set is no longer the guest's, but what it wrote is shown`() throws {
    let odd = ProcessorModel.skylake.with([0x488: 0x2020])
    let rule = try VMXControls(odd.capabilities).cr4

    #expect(rule.held(0) & 0x20 == 0x20 && rule.guests & 0x20 == 0 && rule.refused & 0x20 == 0)
    #expect(rule.shown(0x2060, shadow: 0) == 0)
  }

  /// What CPUID says of a bit of CR4: where, and that it is there.
  private struct Feature {
    let cr4: Int
    let leaf: UInt32
    var subleaf: UInt32 = 0
    let word: Character
    let bit: UInt32

    init(_ cr4: Int, _ leaf: UInt32, _ subleaf: UInt32, _ word: Character, _ bit: UInt32) {
      self.cr4 = cr4
      self.leaf = leaf
      self.subleaf = subleaf
      self.word = word
      self.bit = bit
    }

    func isShown(by policy: CPUIDPolicy) -> Bool {
      let answer = policy.answer(leaf: leaf, subleaf: subleaf) { _, _ in
        CPUIDAnswer(eax: UInt32.max, ebx: UInt32.max, ecx: UInt32.max, edx: UInt32.max)
      }
      let words: [Character: UInt32] = ["a": answer.eax, "b": answer.ebx, "c": answer.ecx, "d": answer.edx]
      return words[word, default: 0] & 1 << bit != 0
    }
  }

  private static let features: [Feature] = [
    Feature(0, 1, 0, "d", 1), Feature(1, 1, 0, "d", 1), Feature(2, 1, 0, "d", 4), Feature(3, 1, 0, "d", 2),
    Feature(4, 1, 0, "d", 3), Feature(5, 1, 0, "d", 6), Feature(7, 1, 0, "d", 13), Feature(9, 1, 0, "d", 24),
    Feature(10, 1, 0, "d", 25), Feature(11, 7, 0, "c", 2), Feature(12, 7, 0, "c", 16), Feature(13, 1, 0, "c", 5),
    Feature(14, 1, 0, "c", 6), Feature(16, 7, 0, "b", 0), Feature(17, 1, 0, "c", 17), Feature(18, 1, 0, "c", 26),
    Feature(19, 7, 0, "c", 23), Feature(20, 7, 0, "b", 7), Feature(21, 7, 0, "b", 20), Feature(22, 7, 0, "c", 3),
    Feature(23, 7, 0, "c", 7), Feature(24, 7, 0, "c", 31), Feature(25, 7, 0, "d", 5), Feature(27, 7, 1, "a", 6),
    Feature(28, 7, 1, "a", 26), Feature(32, 7, 1, "a", 17),
  ]

  @Test func `a guest has the bits of CR4 whose feature CPUID shows it, and no other`() {
    var facts = CPUIDFacts()
    facts.supportedXCR0 = 0x2E7
    facts.xcr0 = 0x2E7
    let policy = CPUIDPolicy(facts)
    let features = Dictionary(uniqueKeysWithValues: Self.features.map { ($0.cr4, $0) })
    for bit in list(ControlBit.cr4) {
      // MCE is hidden, and is the kernel's on both; PCE needs no feature, as RDPMC exits.
      guard let feature = features[bit.bit] else {
        #expect([6, 8].contains(bit.bit))
        continue
      }
      let expected: BitRule = feature.isShown(by: policy) ? .guests : .refused
      #expect(bit.svm == expected && bit.vmx == expected, "CR4.\(bit.name)")
    }
  }

  @Test func `EFER has what the guest may set, and on AMD what VMRUN wants`() {
    #expect(ControlRule.svmEFER.held(.max) == mask([0, 8, 10, 11, 12]))
    #expect(ControlRule.vmxEFER.held(.max) == mask([0, 8, 11]))
    #expect(ControlRule.svmEFER.held(0) == 1 << 12)
  }

  // MARK: - A write of CR4 on AMD

  private static let long = ControlMode(efer: 1 << 10, isLongCode: true)
  private static let legacy = ControlMode(efer: 0, isLongCode: false)

  @Test func `a write of CR4 that the processor would take is taken`() {
    #expect(ControlRule.svmCR4.write(0x3006F0, over: 0x20, Self.long, cr3: 0x1000) == 0x3006F0)
    #expect(ControlRule.svmCR4.write(0x90, over: 0, Self.legacy, cr3: 0) == 0xD0)
    #expect(ControlRule.svmCR4.write(0x2_0020, over: 0x20, Self.long, cr3: 0x1000) == 0x2_0060)
    // The upper half of a register means nothing outside 64-bit code.
    #expect(ControlRule.svmCR4.write(0xFFFF_FFFF_0000_0020, over: 0, Self.legacy, cr3: 0) == 0x60)
    let compatible = ControlMode(efer: 1 << 10, isLongCode: false)
    #expect(ControlRule.svmCR4.write(0x1_0000_0020, over: 0x20, compatible, cr3: 0) == 0x60)
  }

  @Test func `a write of CR4 that it would not is refused`() {
    for bit in [12, 13, 14, 15, 19, 23, 24, 25, 26, 27, 28, 29, 32, 63] {
      #expect(ControlRule.svmCR4.write(0x20 | 1 << UInt64(bit), over: 0x20, Self.long, cr3: 0) == nil)
    }
    // Long mode without PAE; PCIDE in legacy mode, or over a PCID.
    #expect(ControlRule.svmCR4.write(0x80, over: 0x20, Self.long, cr3: 0) == nil)
    #expect(ControlRule.svmCR4.write(0x2_0020, over: 0x20, Self.legacy, cr3: 0) == nil)
    #expect(ControlRule.svmCR4.write(0x2_0020, over: 0x20, Self.long, cr3: 1) == nil)
    #expect(ControlRule.svmCR4.write(0x2_0020, over: 0x2_0020, Self.long, cr3: 1) != nil)
  }

  @Test func `the register of a MOV is in the first word of the exit, if it was one`() {
    #expect(SVMExit.sourceRegister(1 << 63 | 13) == 13)
    #expect(SVMExit.sourceRegister(13) == nil)
  }

  // MARK: - Instructions and events

  private static var rows: [GuestIntercept] {
    var rows: [GuestIntercept] = []
    GuestIntercept.each { rows.append($0) }
    return rows
  }

  @Test func `every bit of the words of intercepts is in the table, once`() {
    var named: [SVMWord: [Int]] = [:]
    for row in Self.rows {
      switch row.svm {
      case .exits(let word, let bit), .exitsOnNewer(let word, let bit), .own(let word, let bit),
        .undefined(let word, let bit):
        named[word, default: []].append(bit)
      case .none: break
      }
    }
    #expect(named[.first]?.sorted() == Array(0...31))
    // 15 and above are the traps after a write of EFER or a control register.
    #expect(named[.second]?.sorted() == Array(0...14))
    #expect(named[.third]?.sorted() == Array(0...5))
    for bits in named.values { #expect(Set(bits).count == bits.count) }
  }

  @Test func `every control of VMX's processor word that makes a guest exit is in the table`() {
    var word: UInt32 = 0
    for row in Self.rows {
      switch row.vmx {
      case .exits(.processor, let control), .own(let control): word |= control.mask
      default: break
      }
    }
    #expect(word == UInt32(mask([7, 9, 10, 11, 12, 15, 16, 19, 20, 23, 25, 28, 29, 30])))
  }

  @Test func `the words of intercepts are what they are meant to be`() {
    let words = SVMIntercepts(watchesCR4: false)
    #expect(words.control == 0)
    #expect(words.first == 0x9D44_800F)
    #expect(words.second == 0x7E7F)
    #expect(words.third == 0)
    #expect(SVMIntercepts(watchesCR4: true).control == 1 << 20)
  }

  @Test func `what could hold a core for ever, or is the machine's, exits on both`() {
    #expect(GuestIntercept.exceptions == 1 << 1 | 1 << 17 | 1 << 18)
    #expect(GuestIntercept.exceptions == ExceptionPolicy.intercepted)
    for row in list(GuestIntercept.exceptionRows) {
      guard case .bitmap = row.vmx else {
        Issue.record("\(row.name) is not in the bitmap")
        continue
      }
    }
  }

  @Test func `the kernel looks closer at few exits, and at all that it settles`() {
    for code in [SVMExitCode.writeCR4, SVMExitCode.modelSpecific, SVMExitCode.interruptReturn] {
      #expect(SVMExitCode.mayBeSettled(code))
    }
    for code in [
      SVMExitCode.interrupt, SVMExitCode.cpuid, SVMExitCode.halt, SVMExitCode.port, SVMExitCode.nestedPageFault,
      SVMExitCode.call, SVMExitCode.debug, SVMExitCode.invalid, SVMExitCode.invalidIn32Bits,
    ] {
      #expect(!SVMExitCode.mayBeSettled(code))
    }
  }

  @Test func `counters of the core are nobody's on AMD either`() {
    for code in [SVMExitCode.readCounter, SVMExitCode.readUserCounters] {
      #expect(SVMExit(code: code).reason == .forbidden)
    }
  }

  // MARK: - Registers

  @Test func `a register that a guest has without an exit is switched by something that is named`() {
    let registers = list(GuestRegister.all)
    #expect(registers.map(\.number) == registers.map(\.number).sorted())
    #expect(Set(registers.map(\.number)).count == registers.count)
    for register in registers {
      let common: [RegisterKeeper] = [.extendedState, .control, .command]
      #expect((common + [.loadAndSave, .absent]).contains(register.svm), "\(register.name)")
      #expect((common + [.fields]).contains(register.vmx), "\(register.name)")
    }
    // SYSCALL's, SWAPGS' and RDTSCP's, for which the VMCS has no fields.
    let moved: Set<UInt32> = [0xC000_0081, 0xC000_0082, 0xC000_0083, 0xC000_0084, 0xC000_0102, 0xC000_0103]
    #expect(Set(registers.filter { $0.vmx == .extendedState }.map(\.number)) == moved)
    // VMLOAD and VMSAVE: table 15-4 of the APM's volume 2.
    let loaded: Set<UInt32> = [
      0x174, 0x175, 0x176, 0xC000_0081, 0xC000_0082, 0xC000_0083, 0xC000_0084, 0xC000_0100, 0xC000_0101, 0xC000_0102,
    ]
    #expect(Set(registers.filter { $0.svm == .loadAndSave }.map(\.number)) == loaded)
    // Fields of the VMCS: the SDM's volume 3, §25.4.1.
    let fields: Set<UInt32> = [0x174, 0x175, 0x176, 0xC000_0100, 0xC000_0101]
    #expect(Set(registers.filter { $0.vmx == .fields }.map(\.number)) == fields)
  }

  @Test func `what guests have against speculation is switched, or has nothing to be switched`() {
    let registers = list(GuestRegister.all).filter { !$0.svm.isAlways }
    #expect(registers.map(\.number) == [0x48, 0x49, 0x10B])
    #expect(registers.map(\.svm) == [.control, .command, .absent])
    #expect(registers.map(\.vmx) == [.control, .command, .command])
    // No map passes them to guests of every processor.
    #expect(!registers.contains { $0.vmx.isAlways })
  }

  @Test func `each way into ring 0 is a register that the table has`() {
    let entries = list(PrivilegedEntry.all)
    #expect(
      Set(entries.map(\.rawValue))
        == [0x174, 0x175, 0x176, 0xC000_0081, 0xC000_0082, 0xC000_0083, 0xC000_0084])
    let known = Set(list(GuestRegister.all).map(\.number))
    for entry in entries { #expect(known.contains(entry.rawValue)) }
  }

  @Test func `a register's bits are where the manuals say`() {
    #expect(PermissionBits.svm(0x174) == PermissionBits(offset: 0x5D, mask: 0b11))
    #expect(PermissionBits.svm(0xC000_0081) == PermissionBits(offset: 0x820, mask: 0b1100))
    #expect(PermissionBits.svm(0xC001_0117) == PermissionBits(offset: 0x1045, mask: 0b1100_0000))
    #expect(PermissionBits.vmx(0x174, isWrite: false) == PermissionBits(offset: 0x2E, mask: 1 << 4))
    #expect(PermissionBits.vmx(0x80B, isWrite: true) == PermissionBits(offset: 0x901, mask: 1 << 3))
    #expect(PermissionBits.vmx(0xC000_0103, isWrite: true) == PermissionBits(offset: 0xC20, mask: 1 << 3))
    for number in [0, 0x1FFF, 0xC000_0000, 0xC000_1FFF, 0xC001_0000, 0xC001_1FFF, UInt32.max] as [UInt32] {
      #expect(PermissionBits.svm(number).offset < 2 * 4096)
      #expect(PermissionBits.vmx(number, isWrite: true).offset < 4096)
    }
  }
}
