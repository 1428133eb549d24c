// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
import Bits
import Storage
import Virtio

/// What of the disk a client has.
enum Holding: Sendable {
  /// Not known yet.
  case unknown
  /// Nothing: its requests fail.
  case nothing
  case part(BlockRules)
}

/// Why a virtual disk was shut down: its driver broke the rules.
enum ClientFailure: Error, Sendable {
  case queue(Int, QueueError)
  /// A request without a byte for its status.
  case noStatus(Int)
}

/// One virtual disk: the part of the disk that a VM has, and the queues while a driver uses them.
struct Client: ~Copyable {
  private let inPlace = InPlace()
  var configuration = DiskClientConfiguration()
  var holding = Holding.unknown
  var queues = InlineArray<4, RequestQueue?>(repeating: nil)
  /// The VM's memory, while a driver uses the disk.
  var memory: GuestMemory?
  /// Whether writes may be answered before they are safe from a loss of power.
  var hasWriteback = true
  /// The queue that is looked at first.
  var firstQueue = 0
  /// The request at the head of the client's line, with its chain.
  var pending: PendingRequest?
  var chain = DescriptorChain()
  /// Requests that the drive has.
  var issued = 0
  /// The VMM's number of `proposedSetup`, which is adopted once nothing of the old one is left.
  var proposal: UInt32?
  var proposedSetup = DeviceSetup()
  var failure: ClientFailure?
  /// Lines about its requests that people were shown: a guest must not be able to fill the log.
  var complaints = 0
  var news = ClientNews()

  var isLive: Bool { memory != nil }
}

/// What the VMM of a client is to be told.
package struct ClientNews {
  /// The number of the proposal that is in force now.
  package var answer: UInt32?
  package var description: DeviceDescription?
  package var events = DeviceEvents.none
}

extension Client {
  /// Which part of the disk is meant; `nil` if the configuration's words mean nothing.
  var selector: DiskSelector? {
    let count = min(Int(configuration.textCount), DiskClientConfiguration.textCapacity)
    switch DiskSelection(rawValue: configuration.selection) {
    case .whole: return .wholeDisk
    case .number: return .partition(.number(configuration.partition))
    case .name:
      let text = configuration.text
      // SAFETY: any bits are bytes.
      return PartitionName(utf8: unsafe text.span.bytes.extracting(0..<count)).map { .partition(.name($0)) }
    case .identifier:
      let text = configuration.text
      // SAFETY: as above.
      return PartitionIdentifier(text: unsafe text.span.bytes.extracting(0..<count)).map { .partition(.identifier($0)) }
    case nil: return nil
    }
  }

  /// Uses the disk as the VMM says.
  mutating func attach(
    _ setup: borrowing DeviceSetup, memory: GuestMemory, _ start: RequestQueue.Start, _ journal: (Int) -> RequestJournal
  ) throws(ClientFailure) {
    let features = VirtioFeatures(rawValue: setup.features)
    for index in 0..<min(Int(setup.queueCount), queues.count) where setup.queues[index].isEnabled != 0 {
      do throws(QueueError) {
        queues[index] = try RequestQueue(
          setup.queues[index], memory: memory, features: features, journal: journal(index), start)
      } catch { throw .queue(index, error) }
    }
    // Who cannot ask for a flush must have writes that need none (virtio 1.2, §5.2.6.2).
    hasWriteback = features.contains(.writeCacheMode) ? setup.hasWriteback != 0 : features.contains(.flush)
    self.memory = memory
  }

  /// Stops using the queues; what the drive still has is not answered.
  mutating func detach() {
    for index in 0..<queues.count { queues[index] = nil }
    memory = nil
    pending = nil
  }
}
