// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
package import Bits
import Storage
import Virtio

/// How virtual disks are taken into use and given back.
extension DiskService where Drive: ~Copyable {
  /// Goes on with a disk as an earlier life of the server left it.
  package mutating func resume(
    _ setup: borrowing DeviceSetup, of client: Int, memory: GuestMemory, counters: inout DiskCounters
  ) {
    attach(setup, client, memory, .resumed, &counters)
  }

  /// Takes note of what a VMM proposes. It is in force, and answered, when nothing of what was before can reach the
  /// VM's memory any more.
  package mutating func propose(_ setup: DeviceSetup, number: UInt32, of client: Int) {
    clients[client].proposal = number
    clients[client].proposedSetup = setup
    clients[client].pending = nil
    queue.withdraw(client)
    hungry.remove(.client(client))
  }

  /// The driver of a client kicked.
  package mutating func kicked(_ client: Int) {
    if clients[client].isLive, clients[client].proposal == nil { hungry.insert(.client(client)) }
  }

  /// Puts proposals in force whose time has come.
  mutating func adoptProposals(memory: (Int) -> GuestMemory, _ counters: inout DiskCounters) {
    for client in 0..<clientCount {
      guard let number = clients[client].proposal, clients[client].issued == 0, drive.isQuiet else { continue }
      publish(client, &counters)
      clients[client].proposal = nil
      clients[client].detach()
      clients[client].failure = nil
      clients[client].news.events = .none
      counters.clients[client].state = downState(of: client).rawValue
      attach(clients[client].proposedSetup, client, memory(client), .fresh, &counters)
      clients[client].news.answer = number
      signalled.insert(.client(client))
    }
  }

  private mutating func attach(
    _ setup: DeviceSetup, _ client: Int, _ memory: GuestMemory, _ start: RequestQueue.Start,
    _ counters: inout DiskCounters
  ) {
    guard setup.isLive != 0 else { return }
    let journals = journals
    do throws(ClientFailure) {
      try clients[client].attach(setup, memory: memory, start) { number in
        journals.journal(client: client, queue: number)
      }
      hungry.insert(.client(client))
      unpublished.insert(.client(client))
      counters.clients[client].state = DiskClientState.up.rawValue
    } catch { fail(client, error, &counters) }
  }

  /// What a client is while no driver uses it.
  func downState(of client: Int) -> DiskClientState {
    switch clients[client].holding {
    case .unknown: .waiting
    case .nothing: .missing
    case .part: .down
    }
  }

  /// Shuts a virtual disk down whose driver broke the rules; the others do not notice.
  mutating func fail(_ client: Int, _ failure: ClientFailure, _ counters: inout DiskCounters) {
    clients[client].detach()
    clients[client].failure = failure
    clients[client].news.events.insert(.needsReset)
    queue.withdraw(client)
    hungry.remove(.client(client))
    unpublished.remove(.client(client))
    signalled.insert(.client(client))
    counters.clients[client].state = DiskClientState.failed.rawValue
    switch failure {
    case .queue(let number, let error):
      messages.add(.warning, "\(title(of: client)) is shut down: queue \(number): \(error.sentence)")
    case .noStatus(let number):
      messages.add(.warning, "\(title(of: client)) is shut down: queue \(number): a request without a status")
    }
  }
}
