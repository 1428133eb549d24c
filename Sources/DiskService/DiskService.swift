// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
import AHCI
package import Bits
import Storage
import Virtio

// What a disk server does, with nothing of how it is started, woken or told: the drive on one side, up to 16 virtual
// disks on the other.
//
//   starting ─► reading the table ─► serving
//       ▲  ▲                            │ another drive
//       │  └────────────────────────────┤
//       └─────────── idle ◄─────────────┘ none any more
//
// A request's way: taken from its queue and checked (`Client.pending`) ─► its turn among all clients (`FairQueue`) ─►
// a job of one command or more (`jobs`) ─► answered ─► published, and the driver interrupted.
//
// What the next life of the server needs is in guests' memory and in the journals; everything else is found again.

/// One disk and the virtual disks that are made of it.
///
/// It is large: keep it in one place.
package struct DiskService<Drive: DiskDrive & ~Copyable>: ~Copyable {
  enum Phase: Equatable {
    /// Nothing is known of the drive.
    case starting
    /// The drive's partition table is being read.
    case reading
    case serving
    /// There is no drive.
    case idle
  }

  private let inPlace = InPlace()
  var drive: Drive
  let name: ShortName
  let clientCount: Int
  var phase = Phase.starting
  var facts: DriveFacts?
  /// Bytes that were last asked for to read the partition table.
  var expectedBytes: UInt64 = 0
  var reader: PartitionReader
  var clients: InlineArray<16, Client>
  var queue = FairQueue<16>(slots: 32)
  var jobs = InlineArray<32, Job?>(repeating: nil)
  /// Jobs in use: bit n for job n.
  var busy: UInt32 = 0
  /// Clients with requests to take, with answers to publish, and whose VMMs are to be told something.
  var hungry = ClientSet.none
  var unpublished = ClientSet.none
  var signalled = ClientSet.none
  var messages = Messages()
  let journals: Journals

  /// A service with no virtual disk in use.
  /// - Parameters:
  ///   - state: `DiskConfiguration.stateSize` bytes, mapped for as long as this value is used, page-aligned and zero
  ///     before their first use: what is kept for the next life.
  ///   - counters: The page of the disk, which keeps what an earlier life counted.
  package init(
    _ configuration: borrowing DiskConfiguration, drive: consuming Drive, unsafeState state: UnsafeMutableRawPointer,
    counters: inout DiskCounters
  ) {
    self.drive = drive
    reader = PartitionReader(DriveFacts.none.geometry)
    // SAFETY: the memory is as the caller says.
    unsafe journals = Journals(unsafeBase: state)
    name = configuration.name
    clientCount = min(Int(configuration.clientCount), DiskConfiguration.clientCapacity)
    clients = InlineArray { _ in Client() }
    counters.name = configuration.name
    counters.clientCount = UInt32(clientCount)
    counters.starts &+= 1
    counters.state = DiskState.starting.rawValue
    for index in 0..<clientCount {
      let own = configuration.clients[index]
      clients[index].configuration = own
      queue.limit(index, bytesPerSecond: own.rate, burst: own.rate / 10)
      counters.clients[index].machine = own.machine
      counters.clients[index].disk = own.disk
      counters.clients[index].isReadOnly = own.isReadOnly
      counters.clients[index].state = DiskClientState.waiting.rawValue
    }
  }

  /// The next line for people.
  package mutating func takeMessage() -> (level: LogLevel, line: LogLine)? { messages.take() }

  /// Takes what the VMM of a client is to be told.
  package mutating func takeNews(of client: Int) -> ClientNews {
    defer { clients[client].news = ClientNews() }
    return clients[client].news
  }
}

/// Clients of a disk: bit n is client n.
package struct ClientSet: Flags {
  package let rawValue: UInt16
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  /// The set of one client.
  package static func client(_ number: Int) -> Self { .bit(number) }

  /// Takes the lowest client out.
  package mutating func takeFirst() -> Int? {
    guard rawValue != 0 else { return nil }
    let first = rawValue.trailingZeroBitCount
    self = Self(rawValue: rawValue & (rawValue &- 1))
    return first
  }
}
