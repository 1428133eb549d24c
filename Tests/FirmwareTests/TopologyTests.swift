// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Firmware

private func topology(_ body: [UInt8]) throws(ACPIError) -> Topology {
  let tables = system([("APIC", body)])
  return try Topology(tables.system(), in: tables.memory)
}

@Suite struct TopologyTests {
  @Test func `enabled processors count once, as APIC or as x2APIC`() throws {
    let read = try topology(
      madt([processor(4), processor(2), processor(6, enabled: false), x2processor(2), x2processor(300), processor(255)])
    )
    #expect((0..<read.processorCount).map { read.apicID($0) } == [4, 2, 300])
    #expect(read.localAPIC == PhysicalAddress(0xfee0_0000))
    #expect(read.has8259)
    #expect(read.ignoredProcessors == 0)
  }

  @Test func `processors beyond the capacity are counted and left alone`() throws {
    let read = try topology(madt((0..<70).map { x2processor($0) }))
    #expect(read.processorCount == 64)
    #expect(read.ignoredProcessors == 6)
  }

  @Test func `a GSI belongs to the controller that begins nearest below it`() throws {
    let read = try topology(
      madt([processor(0), ioapic(9, 0xfec0_1000, 24), ioapic(8, 0xfec0_0000, 0), ioapic(10, 0xfec0_8000, 32)]))
    #expect([0, 23, 24, 31, 32, 1000].map { read.ioapic(for: $0) } == [1, 1, 0, 0, 2, 2])
    #expect(read.ioapic(2) == IOAPICDescription(id: 10, address: PhysicalAddress(0xfec0_8000), gsiBase: 32))
    #expect(try topology(madt([processor(0), ioapic(8, 0xfec0_0000, 16)])).ioapic(for: 3) == nil)
  }

  /// As on a Xeon D with several PCI roots: the chipset's controller with 24 inputs, and one with 8 at each root.
  @Test(arguments: [
    (gsi: UInt32(0), controller: 8, input: UInt32(0)), (23, 8, 23), (24, 9, 0), (31, 9, 7), (32, 10, 0), (39, 10, 7),
    (40, 11, 0), (47, 11, 7), (48, 12, 0), (55, 12, 7),
  ])
  func `each of five controllers has its own interrupts`(gsi: UInt32, controller: Int, input: UInt32) throws {
    let five = [
      ioapic(8, 0xfec0_0000, 0), ioapic(9, 0xfec0_1000, 24), ioapic(10, 0xfec0_8000, 32), ioapic(11, 0xfec1_0000, 40),
      ioapic(12, 0xfec1_8000, 48),
    ]
    for order in [five, five.reversed()] {
      let read = try topology(madt([processor(0)] + order))
      let index = try #require(read.ioapic(for: gsi))
      #expect(Int(read.ioapic(index).id) == controller)
      #expect(gsi - read.ioapic(index).gsiBase == input)
    }
  }

  @Test func `an override moves an ISA interrupt and says how it signals`() throws {
    let read = try topology(madt([processor(0), override(0, 2, 0), override(9, 20, 0xf), override(5, 5, 0xd)]))
    #expect(read.route(isa: 0) == InterruptRoute(gsi: 2))
    #expect(read.route(isa: 9) == InterruptRoute(gsi: 20, isActiveLow: true, isLevelTriggered: true))
    #expect(read.route(isa: 5) == InterruptRoute(gsi: 5, isActiveLow: false, isLevelTriggered: true))
    #expect(read.route(isa: 4) == InterruptRoute(gsi: 4))
    #expect(read.route(isa: 16) == nil)
    #expect(throws: Never.self) { try topology(madt([processor(0), override(200, 5, 0)])) }
  }

  @Test func `NMI inputs and a moved local APIC are read`() throws {
    let read = try topology(
      madt([
        processor(0), [4, 0xff, 5, 0, 1], [10, 0xf, 0] + bytes(UInt32(3)) + [0, 0, 0, 0],
        [5, 0, 0] + bytes(UInt64(0x1_fee0_0000)), [77, 1, 2, 3],
      ]))
    #expect(read.nmiCount == 2)
    #expect(read.nmi(0) == LocalNMI(processor: LocalNMI.everyProcessor, input: 1))
    #expect(read.nmi(1) == LocalNMI(processor: 3, input: 0, isActiveLow: true, isLevelTriggered: true))
    #expect(read.localAPIC == PhysicalAddress(0x1_fee0_0000))
  }

  @Test func `each processor's NMIs arrive where the firmware says, by its UID, or at LINT1 where it says nothing`()
    throws
  {
    let read = try topology(
      madt([
        [0, 1, 40, 1, 0, 0, 0], [0, 2, 42, 1, 0, 0, 0], x2processor(300), [4, 1, 5, 0, 1], [4, 2, 0xf, 0, 0],
        [10, 0, 0] + bytes(UInt32(7)) + [1, 0, 0, 0], [10, 0, 0] + bytes(UInt32(7)) + [0, 0, 0, 0],
      ]))
    #expect(read.nmi(atInput: 1, ofAPIC: 40) == LocalNMI(processor: 1, input: 1))
    #expect(read.nmi(atInput: 0, ofAPIC: 40) == nil)
    let low = LocalNMI(processor: 2, input: 0, isActiveLow: true, isLevelTriggered: true)
    #expect(read.nmi(atInput: 0, ofAPIC: 42) == low)
    #expect(read.nmi(atInput: 1, ofAPIC: 42) == nil)
    #expect([0, 1].map { read.nmi(atInput: $0, ofAPIC: 300)?.processor } == [7, 7])
    #expect(read.nmi(atInput: 1, ofAPIC: 1) == nil, "a UID is no APIC's number")

    let all = try topology(madt([processor(4), [4, 0xff, 3, 0, 0]]))
    #expect(all.nmi(atInput: 0, ofAPIC: 4)?.isActiveLow == true)
    #expect(all.nmi(atInput: 1, ofAPIC: 4) == nil)
    let none = try topology(madt([processor(4)]))
    #expect(none.nmi(atInput: 1, ofAPIC: 4)?.isActiveLow == false)
    #expect(none.nmi(atInput: 0, ofAPIC: 4) == nil)
  }

  @Test func `interrupts that are non-maskable are read, as many as there is room for`() throws {
    let sources: [[UInt8]] = (0..<20 as Range<UInt8>).map { [3, $0 % 2 == 0 ? 0 : 3, 0] + bytes(UInt32($0) + 30) }
    let read = try topology(madt([processor(0), [3, 0, 0, 1]] + sources))
    #expect(read.nmiSourceCount == 16)
    #expect(read.nmiSource(0) == InterruptRoute(gsi: 30))
    #expect(read.nmiSource(1) == InterruptRoute(gsi: 31, isActiveLow: true))
    #expect(read.badEntries == 1)
  }

  @Test func `an entry that breaks the rules is left out and counted, the others hold`() throws {
    let good = [processor(0), ioapic(8, 0xfec0_0000, 0)]
    // Too short for their kinds, an address that cannot be, and one controller under two names.
    for bad in [[0], [1, 2], ioapic(0, 0, 0), ioapic(0, 0xfec0_0008, 9), ioapic(9, 0xfec0_0000, 24)] as [[UInt8]] {
      let read = try topology(madt(good + [bad, processor(2)]))
      #expect((0..<read.processorCount).map { read.apicID($0) } == [0, 2])
      #expect(read.ioapicCount == 1)
      #expect(read.badEntries == 1)
    }
    // Lengths that cannot be end the table.
    for rest in [[1], [1, 0], [1, 1], [1, 200]] as [[UInt8]] {
      let read = try topology(madt(good) + rest)
      #expect(read.processorCount == 1)
      #expect(read.ioapicCount == 1)
      #expect(read.badEntries == 1)
    }
    let many = try topology(
      madt([processor(0)] + (0..<17).map { ioapic($0, 0xfec0_0000 + UInt32($0) << 12, UInt32($0)) }))
    #expect(many.ioapicCount == 16)
    #expect(many.ignoredControllers == 1)
    #expect(many.badEntries == 0)
  }

  @Test func `processors that no interrupt can be sent to are left out`() throws {
    let body = madt([x2processor(300), processor(4), x2processor(254), x2processor(255), processor(7)])
    let tables = system([("APIC", body)])
    let near = try Topology(tables.system(), in: tables.memory, reach: 254)
    #expect((0..<near.processorCount).map { near.apicID($0) } == [4, 254, 7])
    #expect(near.unreachableProcessors == 2)
    #expect(near.highestAPICID == 300)
    let all = try topology(body)
    #expect(all.processorCount == 5)
    #expect(all.unreachableProcessors == 0)
    // They take no room from others.
    let many = system([("APIC", madt((0..<64).map { x2processor(300 + $0) } + (0..<64).map { x2processor($0) }))])
    let read = try Topology(many.system(), in: many.memory, reach: 254)
    #expect(read.processorCount == 64)
    #expect(read.apicID(63) == 63)
    #expect(read.ignoredProcessors == 0)
    #expect(read.unreachableProcessors == 64)
    // A machine whose only processors cannot be reached has none.
    let far = system([("APIC", madt([x2processor(300)]))])
    #expect(throws: ACPIError(.madt, .badEntry)) { try Topology(far.system(), in: far.memory, reach: 254) }
  }

  @Test func `a table that breaks the rules is refused`() {
    #expect(throws: ACPIError(.madt, .badLength)) { try topology([0, 0, 0]) }
    #expect(throws: ACPIError(.madt, .badEntry)) { try topology(madt([])) }
    #expect(throws: ACPIError(.madt, .badAddress)) { try topology(madt([processor(0)], address: 0xfee0_0010)) }
    let none = system([])
    #expect(throws: ACPIError(.madt, .missing)) { try Topology(none.system(), in: none.memory) }
  }
}
