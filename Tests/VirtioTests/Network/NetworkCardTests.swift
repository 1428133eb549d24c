// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Virtio

/// What a network card offers (virtio 1.2, §5.1.3).
@Suite struct NetworkFeatureTests {
  private let card = NetworkCard(address: FunctionBench.address)

  @Test func `what it offers has all that it requires`() {
    #expect(NetworkCard.isConsistent(card.offeredFeatures))
    let plain = NetworkCard(address: FunctionBench.address, offersOffload: false)
    #expect(NetworkCard.isConsistent(plain.offeredFeatures))
  }

  @Test func `without offload there is nothing of checksums or segmentation`() {
    let plain = NetworkCard(address: FunctionBench.address, offersOffload: false).offeredFeatures
    #expect(plain.rawValue & 0x7f83 == 0)
    #expect(plain.contains(.mergeableBuffers | .controlQueue | .maximumUnit | .address | .linkStatus))
    #expect(card.offeredFeatures.rawValue & 0x7f83 == 0x1983)
  }

  @Test(arguments: [
    (7, 1), (8, 1), (10, 1), (11, 0), (12, 0), (14, 0), (18, 17), (19, 17), (21, 17), (22, 17), (23, 17),
  ])
  func `a feature requires its other`(feature: Int, other: Int) {
    #expect(!NetworkCard.isConsistent(.bit(feature)))
    #expect(NetworkCard.isConsistent(.bit(feature) | .bit(other)))
  }

  @Test(arguments: [(9, 7, 8, 1), (13, 11, 12, 0)])
  func `congestion marks require segmentation of one kind`(feature: Int, one: Int, other: Int, checksum: Int) {
    #expect(!NetworkCard.isConsistent(.bit(feature) | .bit(checksum)))
    #expect(NetworkCard.isConsistent(.bit(feature) | .bit(checksum) | .bit(one)))
    #expect(NetworkCard.isConsistent(.bit(feature) | .bit(checksum) | .bit(other)))
  }
}

/// A running card whose driver sends commands (§5.1.6.5).
private final class Controlled {
  let bench = FunctionBench()
  let guest = TestGuest()
  let driver: TestDriver
  private var chain = DescriptorChain()
  private static let data = 0x3_0000
  private static let answer = 0x3_8000

  init(_ features: VirtioFeatures = FunctionBench.usual) {
    driver = TestDriver(guest, size: 256, at: FunctionBench.place(2).descriptors)
    bench.start(features)
    _ = bench.takeEvents()
  }

  var filter: ReceiveFilter { bench.setup.filter }

  /// Sends `command` in pieces of at most `piece` bytes.
  /// - Returns: What the card answered: 0 is OK, 1 an error, 0xee nothing.
  func send(_ command: [UInt8], piece: Int = 4096) -> UInt8 {
    guest.store(command, at: Self.data)
    guest[Self.answer] = UInt8(0xee)
    let starts = stride(from: 0, to: command.count, by: piece)
    driver.chain(
      0,
      starts.map { (UInt64(Self.data + $0), UInt32(min(piece, command.count - $0)), false) }
        + [(UInt64(Self.answer), 1, true)])
    driver.offer()
    serve()
    return guest[Self.answer]
  }

  func serve() { bench.function.serveControl(in: guest.memory, with: &chain) }

  static func table(_ single: [UInt64], _ groups: [UInt64]) -> [UInt8] {
    func part(_ addresses: [UInt64]) -> [UInt8] {
      let count = UInt32(addresses.count)
      return (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
        + addresses.flatMap { address in (0..<6).map { UInt8(truncatingIfNeeded: address >> UInt64(40 - 8 * $0)) } }
    }
    return [1, 0] + part(single) + part(groups)
  }
}

/// Receive modes (§5.1.6.5.1).
@Suite struct ReceiveModeTests {
  @Test func `a card without a driver's wishes lets its own frames in`() {
    let filter = Controlled().filter
    #expect(filter.modes == .none && filter.count == 0 && filter.own == FunctionBench.address)
  }

  @Test func `a driver that cannot say what it wants gets all`() {
    let filter = Controlled(.version1 | .controlQueue).filter
    #expect(filter.modes == .promiscuous)
  }

  @Test(
    arguments: [
      (0, .promiscuous), (1, .allMulticast), (2, .allUnicast), (3, .noMulticast), (4, .noUnicast), (5, .noBroadcast),
    ] as [(UInt8, ReceiveModes)])
  func `each mode is turned on and off, and leaves the others`(command: UInt8, mode: ReceiveModes) {
    let card = Controlled()
    #expect(card.send([0, 1, 1]) == 0)
    #expect(card.send([0, command, 1]) == 0)
    #expect(card.bench.takeEvents() == .setupChanged)
    #expect(card.filter.modes == .allMulticast | mode)
    #expect(card.send([0, command, 0]) == 0)
    #expect(!card.filter.modes.contains(mode))
  }

  @Test func `what is neither on nor off, or not there, is refused and changes nothing`() {
    let card = Controlled()
    for command in [[0, 0, 2], [0, 0, 0xff], [0, 6, 1], [0, 0xff, 1], [0, 0], [0], [], [9, 9, 9], [4, 0, 1, 0]] {
      #expect(card.send(command.map { UInt8($0) }) == 1)
    }
    #expect(card.filter.modes == .none && card.bench.takeEvents() == .none)
    #expect(card.bench.isLive && !card.bench.status.contains(.needsReset))
  }

  @Test func `commands that were not agreed on are refused`() {
    let none = Controlled(.version1 | .controlQueue)
    for command in [[0, 0, 1], [0, 2, 1], [1, 1, 2, 0, 0, 0, 0, 1]] as [[UInt8]] { #expect(none.send(command) == 1) }
    #expect(none.send(Controlled.table([], [])) == 1)
    let some = Controlled(.version1 | .controlQueue | .controlReceive)
    #expect(some.send([0, 0, 1]) == 0)
    #expect(some.send([0, 2, 1]) == 1)
  }
}

/// Addresses (§5.1.6.5.2).
@Suite struct AddressFilterTests {
  private let card = Controlled()

  private var addresses: [UInt64] { (0..<Int(card.filter.count)).map { card.filter.addresses[$0].rawValue } }

  @Test(arguments: [1, 3, 7, 4096])
  func `a table is taken, however it is cut, and replaces the one before`(piece: Int) {
    #expect(card.send(Controlled.table([0x02_00_00_00_00_77], [0x01_00_5e_00_00_01]), piece: piece) == 0)
    #expect(card.send(Controlled.table([2, 4], [0x3333_0000_0001]), piece: piece) == 0)
    #expect(addresses == [2, 4, 0x3333_0000_0001])
    #expect(card.filter.modes == .none && card.filter.own == FunctionBench.address)
    #expect(card.send(Controlled.table([], []), piece: piece) == 0)
    #expect(addresses.isEmpty)
  }

  @Test func `addresses for which there is no room become all of their kind`() {
    let single = (0..<33).map { UInt64($0) << 1 }
    let groups = (0..<33).map { 0x0100_5e00_0000 + UInt64($0) }
    #expect(card.send(Controlled.table(single, Array(groups.prefix(32)))) == 0)
    #expect(card.filter.modes == .allUnicast && addresses == Array(groups.prefix(32)))
    #expect(card.send(Controlled.table(Array(single.prefix(30)), groups)) == 0)
    #expect(card.filter.modes == .allMulticast && addresses == Array(single.prefix(30)))
    #expect(card.send(Controlled.table(single, groups)) == 0)
    #expect(card.filter.modes == .allUnicast | .allMulticast && addresses.isEmpty)
    #expect(card.send([0, 0, 1]) == 0)
    #expect(card.send(Controlled.table([2], [])) == 0)
    #expect(card.filter.modes == .promiscuous && addresses == [2])
  }

  @Test func `a table that is shorter than it says is refused and changes nothing`() {
    #expect(card.send(Controlled.table([2], [0x0100_0000_0001])) == 0)
    let whole = Controlled.table([4, 6], [0x0100_0000_0003])
    for count in 2..<whole.count { #expect(card.send(Array(whole.prefix(count))) == 1) }
    for count in [[0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0x80], [33, 0, 0, 0]] as [[UInt8]] {
      #expect(card.send([1, 0] + count + [1, 2, 3]) == 1)
    }
    #expect(addresses == [2, 0x0100_0000_0001] && card.filter.modes == .none)
  }

  @Test func `a new address shows in the configuration before the command counts as used`() {
    _ = card.bench.read(FunctionLayout.device, 1)
    let generation = card.bench[.generation]
    #expect(card.send([1, 1, 0x02, 0, 0, 0, 0xbb, 0x09], piece: 3) == 0)
    #expect(card.filter.own == MACAddress(rawValue: 0x0200_0000_bb09))
    #expect(card.bench.read(FunctionLayout.device, 4) == 0x0000_0002)
    #expect(card.bench.read(FunctionLayout.device + 4, 2) == 0x09bb)
    #expect(card.bench[.generation] != generation)
  }

  @Test func `a group's address, or half an address, is refused`() {
    #expect(card.send([1, 1, 0x01, 0, 0x5e, 0, 0, 1]) == 1)
    #expect(card.send([1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]) == 1)
    #expect(card.send([1, 1, 0x02, 0, 0, 0, 0]) == 1)
    #expect(card.filter.own == FunctionBench.address)
  }

  @Test func `a reset empties the table and brings the first address back`() {
    _ = card.send(Controlled.table([2], []))
    _ = card.send([0, 0, 1])
    _ = card.send([1, 1, 0x02, 0, 0, 0, 0xbb, 0x09])
    card.bench.status = .none
    card.bench.function.resetFinished()
    card.bench.start()
    #expect(card.filter.count == 0 && card.filter.modes == .none && card.filter.own == FunctionBench.address)
  }
}

/// The control queue as a queue (§5.1.6.5, §2.7).
@Suite struct ControlQueueTests {
  @Test func `an answer is one byte, and interrupts if the driver waits`() {
    let card = Controlled()
    #expect(card.send([0, 0, 1]) == 0)
    #expect(card.driver.used(0) == (0, 1) && card.driver.usedIndex == 1)
    #expect(card.bench.interruptLine)
    #expect(card.driver.availableEvent == 1)
    _ = card.bench.read(FunctionLayout.interruptStatus, 1)
    #expect(card.send([0, 0, 0]) == 0)
    // Linux polls: used_event still is 0.
    #expect(!card.bench.interruptLine)
  }

  @Test func `several commands are carried out in order`() {
    let card = Controlled()
    card.guest.store([0, 0, 1, 0, 0, 0], at: 0x3_0000)
    for index in 0..<4 {
      card.driver.chain(4 * index, [(0x3_0000 + UInt64(index % 2 * 3), 3, false), (0x3_8000, 1, true)])
      card.driver.offer(UInt16(4 * index))
    }
    card.serve()
    #expect(card.driver.usedIndex == 4 && card.driver.used(3).head == 12)
    #expect(card.filter.modes == .none)
  }

  @Test func `a command without room for an answer, or a broken chain, needs a reset`() {
    for buffer in [(0x3_0000, 3, false), (1 << 40, 3, false)] as [(UInt64, UInt32, Bool)] {
      let card = Controlled()
      card.driver.chain(0, [(buffer.0, buffer.1, buffer.2)])
      card.driver.offer()
      card.serve()
      #expect(card.bench.status.contains(.needsReset))
      #expect(card.driver.usedIndex == 0)
      card.serve()
      #expect(card.driver.usedIndex == 0)
    }
  }

  @Test func `a queue outside memory needs a reset`() {
    let card = Controlled()
    card.bench.status = .none
    card.bench.function.resetFinished()
    card.bench.negotiate()
    card.bench.enable(queue: 2, QueueSetup(size: 256, descriptors: 1 << 50, available: 0, used: 0))
    card.bench.status = .acknowledge | .driver | .featuresOK | .driverOK
    card.serve()
    #expect(card.bench.status.contains(.needsReset))
  }

  @Test func `nothing is served without a queue, before DRIVER_OK or after a reset`() {
    let card = Controlled()
    card.bench.status = .none
    card.guest.store([0, 0, 1], at: 0x3_0000)
    card.driver.chain(0, [(0x3_0000, 3, false), (0x3_8000, 1, true)])
    card.driver.offer()
    card.serve()
    card.bench.function.resetFinished()
    card.serve()
    card.bench.negotiate()
    card.serve()
    card.bench.status = .acknowledge | .driver | .featuresOK | .driverOK
    card.serve()
    #expect(card.driver.usedIndex == 0 && !card.bench.status.contains(.needsReset))
  }
}
