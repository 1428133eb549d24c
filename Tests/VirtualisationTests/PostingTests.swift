// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Foundation
import Synchronization
import Testing

@testable import Virtualisation

/// Posted interrupts, and a processor that takes them as the manual says (Intel SDM volume 3, §30.6).
private final class Bench: @unchecked Sendable {
  private let base: UnsafeMutableRawPointer
  let posted: PostedInterrupts
  /// The guest's requests.
  var requests: InlineArray<4, UInt64> = InlineArray(repeating: 0)

  /// - Parameter vectors: By the places of their messages.
  init(_ vectors: [Int: UInt8] = [:]) {
    base = .allocate(byteCount: PostedInterrupts.size, alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: PostedInterrupts.size)
    posted = PostedInterrupts(unsafeBase: base)
    var table = InlineArray<128, UInt8>(repeating: 0)
    for (place, vector) in vectors { table[place] = vector }
    posted.take(table)
  }

  deinit { base.deallocate() }

  func word(_ index: Int) -> UInt64 { base.load(fromByteOffset: 8 * index, as: UInt64.self) }

  /// The announcement reaches the processor while the guest runs: ON is cleared, and then the bits are taken.
  func process() {
    atomic(4) { _ = $0.bitwiseAnd(~1, ordering: .sequentiallyConsistent) }
    for index in 0..<4 { atomic(index) { requests[index] |= $0.exchange(0, ordering: .sequentiallyConsistent) } }
  }

  private func atomic(_ index: Int, _ body: (borrowing Atomic<UInt64>) -> Void) {
    body((base + 8 * index).assumingMemoryBound(to: Atomic<UInt64>.self).pointee)
  }

  func drain() { posted.drain(into: &requests) }

  func takeRequests() -> Set<Int> {
    defer { requests = InlineArray(repeating: 0) }
    return Set((0..<256).filter { requests[$0 / 64] & 1 << UInt64($0 % 64) != 0 })
  }
}

@Suite struct PostingTests {
  @Test func `a guest that runs gets the interrupt, and only the first of several is announced`() {
    let bench = Bench([4: 0x41, 5: 0xff, 7: 0x80])
    #expect(!bench.posted.begin())

    #expect(bench.posted.post(0, ofSlot: 1) == .posted(mustAnnounce: true))
    #expect(bench.posted.post(1, ofSlot: 1) == .posted(mustAnnounce: false))
    #expect(bench.posted.post(0, ofSlot: 1) == .posted(mustAnnounce: false))
    #expect(bench.word(1) == 1 << 1)
    #expect(bench.word(3) == 1 << 63)
    #expect(bench.word(4) == 1)

    bench.process()
    #expect(bench.takeRequests() == [0x41, 0xff])
    #expect(bench.posted.post(3, ofSlot: 1) == .posted(mustAnnounce: true))
  }

  @Test func `a guest that does not run gets nothing`() {
    let bench = Bench([0: 0x41])
    #expect(bench.posted.post(0, ofSlot: 0) == .refused)
    _ = bench.posted.begin()
    bench.posted.end()
    #expect(bench.posted.post(0, ofSlot: 0) == .refused)
    #expect((0...4).allSatisfy { bench.word($0) == 0 })
  }

  @Test(arguments: [(0, 0), (0, 1), (31, 3), (32, 0), (-1, 0), (0, 4), (0, -1), (.max, .max), (.min, .min)])
  func `a message without a vector is left to the VMM`(slot: Int, message: Int) {
    // 15 is no vector that an APIC takes.
    let bench = Bench([1: 15, 2: 0x41])
    _ = bench.posted.begin()
    #expect(bench.posted.post(message, ofSlot: slot) == .refused)
    #expect((0...4).allSatisfy { bench.word($0) == 0 })
  }

  @Test func `every message has a place of its own`() {
    var places: Set<Int> = []
    for slot in 0..<Notifications.channelCount {
      for message in 0..<PostedMessages.capacity {
        places.insert(PostedMessages.place(slot: slot, message: message) ?? -1)
      }
    }
    #expect(places == Set(0..<PostedMessages().vectors.count))
  }

  @Test func `what the processor did not take belongs to the model`() {
    let bench = Bench([0: 0x41, 1: 0xe0])
    _ = bench.posted.begin()
    _ = bench.posted.post(0, ofSlot: 0)
    bench.process()
    _ = bench.posted.post(1, ofSlot: 0)
    bench.posted.end()
    bench.drain()
    #expect(bench.takeRequests() == [0x41, 0xe0])
    bench.drain()
    #expect(bench.takeRequests().isEmpty)
    #expect(!bench.posted.begin())
  }

  @Test func `what was announced in vain is announced again`() {
    let bench = Bench([0: 0x41])
    _ = bench.posted.begin()
    _ = bench.posted.post(0, ofSlot: 0)
    // The guest leaves before its processor hears of that, and the kernel lets it go on by itself.
    bench.posted.end()
    #expect(bench.posted.begin())
    #expect(bench.posted.post(0, ofSlot: 0) == .posted(mustAnnounce: false))
    bench.process()
    #expect(bench.takeRequests() == [0x41])
    bench.posted.end()
    #expect(!bench.posted.begin())
  }

  @Test func `a guest that starts anew knows nothing of the one before`() {
    let bench = Bench([0: 0x41])
    _ = bench.posted.begin()
    _ = bench.posted.post(0, ofSlot: 0)
    bench.posted.reset()
    #expect((0...4).allSatisfy { bench.word($0) == 0 })
    #expect(!bench.posted.begin())
    #expect(bench.posted.post(0, ofSlot: 0) == .refused)
  }

  /// Two servers post, a vector each, while the guest's core enters and leaves. A server goes on when its interrupt has
  /// arrived, or when it is to signal the VMM instead: one that got lost would be waited for in vain.
  @Test func `no interrupt is lost between cores`() {
    let bench = Bench([0: 0x41, 1: 0x82])
    let shared = SharedWords()
    for server in 0..<2 {
      Thread.detachNewThread {
        for _ in 0..<2000 {
          let before = shared.count(of: server)
          guard case .posted(let mustAnnounce) = bench.posted.post(server, ofSlot: 0) else {
            sched_yield()
            continue
          }
          if mustAnnounce { shared.announced.store(true, ordering: .sequentiallyConsistent) }
          shared.awaitArrival(of: server, after: before)
        }
        shared.done.wrappingAdd(1, ordering: .sequentiallyConsistent)
      }
    }

    var turn = 0
    while shared.done.load(ordering: .sequentiallyConsistent) < 2, !shared.isLate {
      turn += 1
      if bench.posted.begin() { shared.announced.store(true, ordering: .sequentiallyConsistent) }
      for _ in 0..<turn % 7 {
        if shared.announced.exchange(false, ordering: .sequentiallyConsistent) { bench.process() }
        sched_yield()
      }
      bench.posted.end()
      // Whatever runs then takes an announcement that came too late, of no use to anybody.
      shared.announced.store(false, ordering: .sequentiallyConsistent)
      if turn % 3 == 0 { bench.drain() }
      let vectors = bench.takeRequests()
      if vectors.contains(0x41) { shared.arrivals0.wrappingAdd(1, ordering: .sequentiallyConsistent) }
      if vectors.contains(0x82) { shared.arrivals1.wrappingAdd(1, ordering: .sequentiallyConsistent) }
      #expect(vectors.isSubset(of: [0x41, 0x82]))
    }
    #expect(!shared.isLate)
    #expect(shared.arrivals0.load(ordering: .relaxed) > 0 && shared.arrivals1.load(ordering: .relaxed) > 0)
  }
}

/// What the threads of the test above share.
private final class SharedWords: Sendable {
  let announced = Atomic<Bool>(false)
  let arrivals0 = Atomic<Int>(0)
  let arrivals1 = Atomic<Int>(0)
  let done = Atomic<Int>(0)
  private let end = ContinuousClock.now + .seconds(60)

  var isLate: Bool { ContinuousClock.now > end }

  func count(of server: Int) -> Int {
    server == 0
      ? arrivals0.load(ordering: .sequentiallyConsistent) : arrivals1.load(ordering: .sequentiallyConsistent)
  }

  /// Waits for an interrupt that was posted just now: there is no other of this server's.
  func awaitArrival(of server: Int, after count: Int) {
    while self.count(of: server) <= count, !isLate { sched_yield() }
  }
}
