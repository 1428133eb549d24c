// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Machine

/// A processor that does a local APIC's work while its guest runs (Intel SDM volume 3, §30.2).
private struct SharingProcessor {
  var requests = VectorSet()
  var inService = VectorSet()
  var noticedEnds = VectorSet()

  mutating func load(_ pc: borrowing PC) {
    let vectors = pc.sharedVectors
    requests = VectorSet(vectors.requests)
    inService = VectorSet(vectors.inService)
    noticedEnds = VectorSet(vectors.noticedEnds)
  }

  /// The guest takes what it can. → the vector
  mutating func deliver() -> UInt8? {
    guard let vector = requests.highest, vector >> 4 > (inService.highest ?? 0) >> 4 else { return nil }
    requests.remove(vector)
    inService.insert(vector)
    return vector
  }

  /// The guest writes to the EOI register. → the vector, if that is an exit
  mutating func end() -> UInt8? {
    guard let vector = inService.highest else { return nil }
    inService.remove(vector)
    return noticedEnds.contains(vector) ? vector : nil
  }

  func store(_ pc: inout PC) { pc.takeShared(requests: requests.words, inService: inService.words) }
}

extension ScriptedGuest {
  fileprivate var isShared: Bool { pc.sharesLocalAPIC }
  fileprivate var isOfferShared: Bool { pc.isOfferShared }
  fileprivate var requests: VectorSet { VectorSet(pc.sharedVectors.requests) }
  fileprivate func nextInterrupt() -> UInt8? { pc.nextInterrupt() }
  fileprivate func plan() -> WakePlan? { pc.planWake() }
}

/// A guest whose local APIC is in x2APIC mode, with KVM's paravirtual end of interrupt, as Linux has it.
private func startedGuest() -> ScriptedGuest {
  let guest = ScriptedGuest(sharesLocalAPIC: true)
  guest.startControllers()
  guest.startLocalAPIC()
  _ = guest.startParavirtualEOI()
  #expect(!guest.isShared)
  #expect(guest.writeMSR(0x1b, 0xfee0_0d00) == .accepted)
  #expect(guest.isShared)
  return guest
}

/// A local APIC that the processor shares with the model.
struct PCSharingTests {
  @Test func `interrupts that wait are taken one after another, and ended, with no exit`() throws {
    let guest = startedGuest()
    for vector in [0x41, 0x61, 0x62] as [UInt8] { guest.pc.apic.raise(vector: vector, trigger: .edge) }
    #expect(guest.nextInterrupt() == 0x62)
    #expect(guest.isOfferShared)
    // The guest must write to the register: nobody looks at the word.
    #expect(try guest.memory.read(ScriptedGuest.endWord, as: UInt8.self) & 1 == 0)

    var processor = SharingProcessor()
    processor.load(guest.pc)
    for vector in [0x62, 0x61, 0x41] as [UInt8] {
      #expect(processor.deliver() == vector)
      #expect(processor.deliver() == nil)
      #expect(processor.end() == nil)
    }
    processor.store(&guest.pc)
    guest.pc.left(tookInterrupt: false)
    #expect(guest.nextInterrupt() == nil)
    #expect(!guest.isOfferShared)
  }

  @Test func `what the guest has not ended when it leaves is in service still`() {
    let guest = startedGuest()
    guest.pc.apic.raise(vector: 0x61, trigger: .edge)
    _ = guest.nextInterrupt()
    var processor = SharingProcessor()
    processor.load(guest.pc)
    #expect(processor.deliver() == 0x61)
    processor.store(&guest.pc)

    // Now the model takes another of the same kind, and one that is below.
    guest.pc.left(tookInterrupt: false)
    guest.pc.apic.raise(vector: 0x61, trigger: .edge)
    guest.pc.apic.raise(vector: 0x41, trigger: .edge)
    #expect(guest.nextInterrupt() == nil)
    processor.load(guest.pc)
    #expect(processor.deliver() == nil)
    #expect(processor.end() == nil)
    #expect(processor.deliver() == 0x61)
    #expect(processor.end() == nil)
    #expect(processor.deliver() == 0x41)
  }

  @Test func `the end of a level-triggered interrupt is heard of, and brings the next`() {
    let guest = ScriptedGuest(sharesLocalAPIC: true)
    guest.startControllers()
    guest.startLocalAPIC()
    guest.route(4, to: 0x51, level: true)
    _ = guest.writeMSR(0x1b, 0xfee0_0d00)
    // The UART's transmitter is empty, and says so by its line for as long as that is so.
    guest.out(0x3fc, 8)
    guest.out(0x3f9, 2)
    var processor = SharingProcessor()
    for _ in 0..<3 {
      #expect(guest.nextInterrupt() == 0x51)
      processor.load(guest.pc)
      #expect(processor.deliver() == 0x51)
      #expect(processor.end() == 0x51)
      processor.store(&guest.pc)
      guest.pc.left(tookInterrupt: false)
      guest.pc.interruptEnded(0x51)
    }
    guest.out(0x3f9, 0)
    #expect(guest.nextInterrupt() == 0x51)
  }

  @Test func `a tick that waits for the one before has its end heard of`() {
    let guest = startedGuest()
    _ = guest.writeMSR(0x83e, 0xb)
    _ = guest.writeMSR(0x832, 0xec | 1 << 17)
    _ = guest.writeMSR(0x838, 1_000_000)
    guest.now = 3_500_000
    guest.pc.advance(to: guest.now)
    #expect(guest.nextInterrupt() == 0xec)
    var processor = SharingProcessor()
    var ticks = 0
    repeat {
      processor.load(guest.pc)
      #expect(processor.deliver() == 0xec)
      ticks += 1
      let end = processor.end()
      processor.store(&guest.pc)
      guest.pc.left(tookInterrupt: false)
      if let end { guest.pc.interruptEnded(end) }
    } while guest.nextInterrupt() != nil && ticks < 10
    #expect(ticks == 3)
  }

  @Test func `a plan that came to nothing leaves the sets as they were`() throws {
    let guest = startedGuest()
    _ = guest.writeMSR(0x83e, 0xb)
    _ = guest.writeMSR(0x832, 0xec)
    _ = guest.writeMSR(0x838, 1_000_000)
    #expect(guest.nextInterrupt() == nil)
    _ = try #require(guest.plan())
    #expect(guest.isOfferShared)
    #expect(guest.requests.highest == 0xec)
    guest.pc.cancelWake()
    #expect(!guest.isOfferShared)
    #expect(guest.requests.isEmpty)
  }

  @Test func `an interrupt of the 8259s is offered alone, as ever`() {
    let guest = startedGuest()
    guest.pc.apic.raise(vector: 0x61, trigger: .edge)
    _ = guest.writeMSR(0x835, 0x700)
    guest.out(0x21, 0xef)
    guest.out(0x3fc, 8)
    guest.out(0x3f9, 2)
    #expect(guest.nextInterrupt() == 0x34)
    #expect(!guest.isOfferShared)
    #expect(guest.isShared)
  }

  @Test(arguments: [0xfee0_0900, 0xfee0_0100] as [UInt64])
  func `an APIC in memory or off is the model's alone`(base: UInt64) {
    let guest = ScriptedGuest(sharesLocalAPIC: true)
    guest.startLocalAPIC()
    _ = guest.writeMSR(0x1b, base)
    #expect(!guest.isShared)
    let other = ScriptedGuest()
    other.startLocalAPIC()
    _ = other.writeMSR(0x1b, 0xfee0_0d00)
    #expect(!other.isShared)
  }
}
