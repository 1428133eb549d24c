// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Virtio

/// A network card that a driver uses: its queues, and what was agreed on.
struct Card: ~Copyable {
  var receive: SplitQueue
  var transmit: SplitQueue
  let features: VirtioFeatures
  let filter: AdmissionFilter
  private var sent: SentNotice

  /// - Throws: which of the queues cannot be used, and why.
  init(_ setup: borrowing DeviceSetup, memory: GuestMemory) throws(CardError) {
    let features = VirtioFeatures(rawValue: setup.features)
    let receive = try Self.queue(.receive, of: setup, memory, features)
    let transmit = try Self.queue(.transmit, of: setup, memory, features)
    self.receive = receive
    self.transmit = transmit
    self.features = features
    filter = AdmissionFilter(setup.filter)
    sent = SentNotice(queueSize: Int(transmit.size))
  }

  /// Whether the driver set both queues up, without which no frame moves.
  static func usesQueues(_ setup: borrowing DeviceSetup) -> Bool {
    guard setup.queueCount > CardQueue.transmit.rawValue else { return false }
    for number in CardQueue.receive.rawValue...CardQueue.transmit.rawValue where setup.queues[number].isEnabled == 0 {
      return false
    }
    return true
  }

  /// Whether the driver takes the frame with its offloads undone (virtio 1.2, §5.1.6.4.2).
  func passes(_ header: NetworkHeader) -> Bool {
    guard header.needsChecksum else { return true }
    guard features.contains(.receiveChecksum), !header.hasECN || features.contains(.receiveECN) else { return false }
    switch header.segmentation {
    case .none: return true
    case .tcp4: return features.contains(.receiveTCP4)
    case .tcp6: return features.contains(.receiveTCP6)
    }
  }

  /// Takes the buffers for a frame of `total` bytes, virtio header included.
  mutating func makeRoom(for total: Int, in room: inout ReceiveRoom, waits: Bool) throws(QueueError) -> Supply {
    try room.take(total, from: &receive, isMergeable: features.contains(.mergeableBuffers), waits: waits)
  }

  /// Writes a frame into the buffers taken for it: its head, then `count` bytes of the sender's.
  mutating func fill(
    _ room: borrowing ReceiveRoom, _ head: borrowing HeadBuffer, then count: Int, of body: inout ChainCursor
  ) throws(QueueError) {
    var place = room.place.writable(in: receive.memory)
    try head.withBytes { (bytes: borrowing RawSpan) throws(QueueError) in try place.write(bytes) }
    try ChainCursor.copy(count, from: &body, to: &place)
    room.complete(head.count + count, in: &receive)
  }

  // MARK: - Frames that are gone

  /// Gives the frame with this first descriptor back to its sender.
  mutating func giveBack(_ head: UInt16, now: UInt64) {
    transmit.complete(head: head, written: 0)
    sent.note(at: now)
  }

  /// Whether the driver is to be interrupted for frames that are gone.
  mutating func tellsSent(now: UInt64) -> Bool { sent.takeDue(at: now) && transmit.needsInterrupt() }

  /// When `tellsSent` is to be asked again although nothing happens.
  var sentDeadline: UInt64? { sent.deadline }

  private static func queue(
    _ name: CardQueue, of setup: borrowing DeviceSetup, _ memory: GuestMemory, _ features: VirtioFeatures
  ) throws(CardError) -> SplitQueue {
    do throws(QueueError) {
      return try SplitQueue(setup.queues[name.rawValue], memory: memory, features: features)
    } catch { throw CardError(queue: name, reason: error) }
  }
}

/// The queues of a network card that a switch serves, by number (virtio 1.2, §5.1.2).
enum CardQueue: Int {
  case receive = 0
  case transmit = 1

  /// Its name, for people.
  var name: StaticString {
    switch self {
    case .receive: "receive queue"
    case .transmit: "transmit queue"
    }
  }
}

/// How a driver broke the rules.
struct CardError: Error, Equatable {
  let queue: CardQueue
  let reason: QueueError
}
