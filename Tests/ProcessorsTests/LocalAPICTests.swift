// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Processors

@Suite struct LocalAPICTests {
  @Test func `a command goes to a core in two halves, once the last has gone`() {
    let model = ModelAPIC(.memory)
    model.sending = 2
    LocalAPIC(model).send(0xc500, to: 7)
    #expect(model.deeds == [.pause, .pause, .write(.commandHigh, 7 << 24), .write(.commandLow, 0xc500)])
  }

  @Test func `a controller that never gets rid of a command does not stop the kernel`() {
    let model = ModelAPIC(.memory)
    model.sending = .max
    LocalAPIC(model).send(0xe1, to: 254)
    #expect(model.deeds.suffix(2) == [.write(.commandHigh, 254 << 24), .write(.commandLow, 0xe1)])
  }

  @Test(arguments: [0, 254, 255, 256, 0xffff_fffe] as [UInt32])
  func `with registers a command is one write, and numbers have 32 bits`(number: UInt32) {
    let model = ModelAPIC(.registers)
    model.sending = 3
    LocalAPIC(model).send(0xe1, to: number)
    #expect(model.deeds == [.command(UInt64(number) << 32 | 0xe1)])
  }

  @Test(arguments: [255, 256, 511, .max] as [UInt32])
  func `a number of more than 8 bits is not cut to another core's`(number: UInt32) {
    let model = ModelAPIC(.memory)
    LocalAPIC(model).send(0xe1, to: number)
    #expect(model.deeds.isEmpty)
  }

  @Test func `all others are reached by a shorthand`() {
    let (old, new) = (ModelAPIC(.memory), ModelAPIC(.registers))
    LocalAPIC(old).sendToOthers(0xe2)
    LocalAPIC(new).sendToOthers(0xe2)
    #expect(old.deeds == [.write(.commandLow, 0xc_40e2)])
    #expect(new.deeds == [.command(0xc_40e2)])
  }

  @Test func `a core reaches itself by a shorthand`() {
    let (old, new) = (ModelAPIC(.memory), ModelAPIC(.registers))
    LocalAPIC(old).sendToSelf(0xe4)
    LocalAPIC(new).sendToSelf(0xe4)
    #expect(old.deeds == [.write(.commandLow, 0x4_40e4)])
    #expect(new.deeds == [.command(0x4_40e4)])
  }

  @Test func `a controller is turned on in the form that was chosen, by steps that processors allow`() {
    for (mode, base, steps) in [
      (.memory, 0xfee0_0900, []), (.memory, 0xfee0_0100, [.base(0xfee0_0900)]),
      (.registers, 0xfee0_0d00, []), (.registers, 0xfee0_0900, [.base(0xfee0_0d00)]),
      (.registers, 0xfee0_0100, [.base(0xfee0_0900), .base(0xfee0_0d00)]),
    ] as [(APICMode, UInt64, [ModelAPIC.Deed])] {
      let model = ModelAPIC(mode, base: base)
      LocalAPIC(model).enable(
        timer: 0xe0, spurious: 0xff, usesDeadline: true,
        inputs: LocalInputs(line0: .masked, line1: .nmi(isActiveLow: false)))
      #expect(Array(model.deeds.prefix(steps.count)) == steps)
      #expect(
        Array(model.deeds.dropFirst(steps.count)) == [
          .write(.spurious, 0x1ff), .write(.taskPriority, 0), .write(.line0Entry, 0x1_0000), .write(.line1Entry, 0x400),
          .write(.errorEntry, 0x1_0000), .write(.timerDivide, 0xb), .write(.timerEntry, 0x4_00e0),
        ])
    }
  }

  @Test func `NMIs arrive at the inputs that are theirs`() {
    let model = ModelAPIC(.memory)
    let inputs = LocalInputs(line0: .nmi(isActiveLow: true), line1: .masked)
    LocalAPIC(model).enable(timer: 0xe0, spurious: 0xff, usesDeadline: false, inputs: inputs)
    #expect(model.deeds.contains(.write(.line0Entry, 0x2400)))
    #expect(model.deeds.contains(.write(.line1Entry, 0x1_0000)))
  }

  @Test func `registers have the numbers of the manual`() {
    #expect(APICRegister.endOfInterrupt.number == 0x80b)
    #expect(APICRegister.commandLow.number == 0x830)
    #expect(APICRegister.timerDivide.number == 0x83e)
    #expect(APICRegister.identifier.number == 0x802)
  }
}

@Suite struct APICModeTests {
  private func mode(
    base: UInt64 = 0xfee0_0900, has: Bool = true, highest: UInt32 = 15, wanted: Bool = false, unwelcome: Bool = false
  ) -> APICMode {
    var conditions = APICConditions(base: base, hasRegisters: has, highestNumber: highest)
    conditions.isWanted = wanted
    conditions.isUnwelcome = unwelcome
    return conditions.mode
  }

  @Test func `memory is the usual form, registers where nothing else will do`() {
    #expect(mode() == .memory)
    #expect(mode(highest: 254) == .memory)
    #expect(mode(highest: 255) == .registers)
    #expect(mode(wanted: true) == .registers)
    // As the firmware left it: some processors do not go back.
    #expect(mode(base: 0xfee0_0d00) == .registers)
    #expect(mode(base: 0xfee0_0d00, has: false, unwelcome: true) == .registers)
  }

  @Test func `nobody gets what the processor has not, or the firmware forbids`() {
    #expect(mode(has: false, highest: 300, wanted: true) == .memory)
    #expect(mode(highest: 300, unwelcome: true) == .memory)
    #expect(APICMode.memory.highestNumber == 254)
    #expect(APICMode.registers.highestNumber == 0xffff_fffe)
  }
}
