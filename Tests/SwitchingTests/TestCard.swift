// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import TestSupport
import Virtio

@testable import Switching

/// What a driver found in its receive queue.
struct ReceivedFrame: Equatable {
  var header: [UInt8]
  var bytes: [UInt8]
  /// Buffers that it filled.
  var buffers: Int
}

/// A VM with a network card, played by a good driver.
final class TestCard {
  /// What the device does for a driver, and what a driver takes undone.
  static let hostOffloads: UInt64 = features(.sendChecksum, .sendTCP4, .sendTCP6, .sendECN)
  static let guestOffloads: UInt64 = features(.receiveChecksum, .receiveTCP4, .receiveTCP6, .receiveECN)
  static let mergeable: UInt64 = features(.mergeableBuffers)
  static let eventIndex: UInt64 = 1 << 29
  static let virtio: UInt64 = 1 << 32 | 1 << 28
  static let all: UInt64 = hostOffloads | guestOffloads | mergeable | virtio | eventIndex

  static func features(_ list: VirtioFeatures...) -> UInt64 { list.reduce(0) { $0 | $1.rawValue } }

  let memory: TestMemory
  let receive: TestQueue
  let transmit: TestQueue
  var setup = DeviceSetup()
  /// What arrived and was not looked at.
  var inbox: [ReceivedFrame] = []
  /// Whether the driver gives buffers back as soon as it has seen them.
  var refills = true
  /// Where a receive buffer is cut into two descriptors.
  var receiveCut: Int?

  init(
    _ address: MACAddress, features: UInt64 = all, size: Int = 64, receiveBuffer: Int = 2048, sendBuffer: Int = 66_000
  ) {
    let receiveBytes = TestQueue.byteCount(size: size, bufferSize: receiveBuffer) / 4096 * 4096 + 4096
    memory = TestMemory(size: receiveBytes + TestQueue.byteCount(size: size, bufferSize: sendBuffer))
    let hasEventIndex = features & Self.eventIndex != 0
    receive = TestQueue(memory, size: size, bufferSize: receiveBuffer, at: 0, hasEventIndex: hasEventIndex)
    transmit = TestQueue(memory, size: size, bufferSize: sendBuffer, at: receiveBytes, hasEventIndex: hasEventIndex)
    setup.isLive = 1
    setup.queueCount = 2
    setup.features = features
    setup.queues[0] = receive.setup
    setup.queues[1] = transmit.setup
    setup.filter.own = address
  }

  /// Gives the device receive buffers, as many as there are or `count`.
  func fill(_ count: Int = .max) {
    var left = count
    while left > 0, offerBuffer() { left -= 1 }
  }

  private func offerBuffer() -> Bool {
    guard let cut = receiveCut else { return receive.offer([(receive.bufferSize, true)]) }
    return receive.offer([(cut, true), (receive.bufferSize - cut, true)])
  }

  /// Queues a frame, laid out in pieces of `cuts` bytes and the rest.
  /// - Returns: Whether there was room.
  @discardableResult
  func send(_ frame: [UInt8], header: [UInt8] = VirtioHeader().bytes, cuts: [Int] = []) -> Bool {
    let all = header + frame
    var pieces: [ArraySlice<UInt8>] = []
    var rest = all[...]
    for cut in cuts where cut < rest.count {
      pieces.append(rest.prefix(cut))
      rest = rest.dropFirst(cut)
    }
    pieces.append(rest)
    return transmit.offer(pieces.map { ($0.count, false) }) { chain in
      for (piece, index) in zip(pieces, chain) { memory.store(Array(piece), at: transmit.place(index)) }
    }
  }

  /// Takes what was sent and what arrived, and gives the buffers back.
  func poll() {
    while let (head, _) = transmit.take() { transmit.release(head) }
    while let (head, written) = receive.take() {
      var all = take(head, written)
      let header = Array(all.prefix(12))
      let count = header.count == 12 ? Int(header[10]) | Int(header[11]) << 8 : 1
      for _ in 1..<max(count, 1) {
        guard let (head, written) = receive.take() else { break }
        all += take(head, written)
      }
      inbox.append(ReceivedFrame(header: header, bytes: Array(all.dropFirst(12)), buffers: count))
    }
    if refills { fill() }
  }

  /// What arrived since this was last called.
  func received() -> [ReceivedFrame] {
    poll()
    defer { inbox = [] }
    return inbox
  }

  private func take(_ head: UInt16, _ written: Int) -> [UInt8] {
    defer { receive.release(head) }
    guard let cut = receiveCut else { return memory.bytes(receive.place(head), count: written) }
    let second: UInt16 = memory[Int(receive.setup.descriptors) + 16 * Int(head) + 14]
    return memory.bytes(receive.place(head), count: min(cut, written))
      + memory.bytes(receive.place(second), count: max(0, written - cut))
  }
}
