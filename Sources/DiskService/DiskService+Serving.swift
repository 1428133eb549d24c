// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
import AHCI
package import Bits
import Storage
import Virtio

/// What one call of `DiskService.serve` leaves to its caller.
package struct DiskTurn {
  /// Whether to call again at once. If not, drivers kick and the drive interrupts when there is something to do.
  package var hasMore = false
  /// When to call again although nothing happened, in nanoseconds; `nil` if never.
  package var deadline: UInt64?
  /// Clients whose VMMs are to be told what `takeNews` returns.
  package var signalled = ClientSet.none
}

extension DiskService where Drive: ~Copyable {
  /// Requests of one client that are looked at in a turn without needing the drive.
  private static var patience: Int { 64 }
  /// Rounds of a turn: a drive may be done at once.
  private static var rounds: Int { 4 }

  /// Does all that can be done now; its work is bounded.
  /// - Parameters:
  ///   - now: The time in nanoseconds, which never goes back.
  ///   - hasInterrupt: Whether the drive's controller interrupted.
  ///   - memory: The memory of a client's VM.
  package mutating func serve(
    now: UInt64, hasInterrupt: Bool, memory: (Int) -> GuestMemory, counters: inout DiskCounters
  ) -> DiskTurn {
    var turn = DiskTurn()
    drive.service(now: now, hasInterrupt: hasInterrupt)
    for round in 0..<Self.rounds {
      let hadNews = collect(now, &counters)
      if round > 0, !hadNews { break }
      follow(&counters)
      adoptProposals(memory: memory, &counters)
      takeRequests(now, &counters)
      turn.deadline = dealOut(now, &counters)
      drive.issue(now: now)
      turn.hasMore = round == Self.rounds - 1
    }
    publishAll(&counters)
    if let time = drive.nextDeadline(after: now) { turn.deadline = min(turn.deadline ?? .max, time) }
    turn.hasMore = turn.hasMore || hasTakeable
    turn.signalled = signalled
    signalled = .none
    show(in: &counters)
    return turn
  }

  private var canServe: Bool { phase == .serving || phase == .idle }

  /// Whether some client has a request to take that can be taken now.
  private var hasTakeable: Bool {
    guard canServe else { return false }
    for client in 0..<clientCount where hungry.contains(.client(client)) {
      if clients[client].pending == nil { return true }
    }
    return false
  }

  // MARK: - Taking

  private mutating func takeRequests(_ now: UInt64, _ counters: inout DiskCounters) {
    guard canServe else { return }
    var rest = hungry
    while let client = rest.takeFirst() { take(client, now, &counters) }
  }

  /// Brings a request of the client to the head of its line, if there is one.
  private mutating func take(_ client: Int, _ now: UInt64, _ counters: inout DiskCounters) {
    let facts = facts ?? DriveFacts.none
    for _ in 0..<Self.patience where clients[client].pending == nil {
      do throws(ClientFailure) {
        switch try clients[client].take(facts, now: now, &counters.clients[client]) {
        case .waits:
          if let request = clients[client].pending { queue.offer(client, bytes: request.byteCount) }
        case .answered: unpublished.insert(.client(client))
        case .nothing:
          guard !clients[client].asksForKicks() else { continue }
          hungry.remove(.client(client))
          return
        }
      } catch {
        fail(client, error, &counters)
        return
      }
    }
  }

  // MARK: - Dealing out

  /// Gives the drive as many requests as it takes, each client in its turn.
  /// - Returns: When somebody's turn comes, whatever happens.
  private mutating func dealOut(_ now: UInt64, _ counters: inout DiskCounters) -> UInt64? {
    guard phase == .serving, let facts else { return nil }
    while busy.nonzeroBitCount < min(facts.depth, jobs.count) {
      switch queue.next(now: now) {
      case .wait(let time): return time
      case .nobody: return nil
      case .issue(let client):
        start(client, facts, now, &counters)
        if hungry.contains(.client(client)) { take(client, now, &counters) }
      }
    }
    return nil
  }

  /// Makes a job of the request at the head of the client's line.
  private mutating func start(_ client: Int, _ facts: DriveFacts, _ now: UInt64, _ counters: inout DiskCounters) {
    guard let request = clients[client].pending else { return }
    let index = (~busy).trailingZeroBitCount
    jobs[index] = Job(client: client, request)
    busy |= 1 << UInt32(index)
    clients[client].issued += 1
    counters.clients[client].depth = UInt32(clients[client].issued)
    counters.clients[client].deepest = max(counters.clients[client].deepest, UInt32(clients[client].issued))
    submitNext(index, facts, now, &counters)
    clients[client].pending = nil
  }

  /// Submits the next command of a job, or ends it.
  private mutating func submitNext(
    _ index: Int, _ facts: DriveFacts, _ now: UInt64, _ counters: inout DiskCounters
  ) {
    guard let client = jobs[index]?.client else { return }
    guard let command = jobs[index]?.next(tag: index, facts, zeroesLimit: drive.zeroesLimit) else {
      return end(index, .success, now, &counters)
    }
    do throws(RequestError) {
      try drive.submit(command.request, command.data, clients[client].chain)
    } catch {
      if mayComplain(client) { messages.add(.warning, "\(title(of: client)): a request that the drive cannot have") }
      end(index, .refused, now, &counters)
    }
  }

  // MARK: - Collecting

  /// Ends what the drive has done.
  /// - Returns: Whether there was anything.
  private mutating func collect(_ now: UInt64, _ counters: inout DiskCounters) -> Bool {
    var hadNews = false
    while let completion = drive.takeCompletion() {
      hadNews = true
      let index = Int(completion.tag)
      guard index < jobs.count else {
        feed(completion.outcome == .success, &counters)
        continue
      }
      if completion.outcome == .success, let facts {
        submitNext(index, facts, now, &counters)
      } else {
        end(index, completion.outcome, now, &counters)
      }
    }
    return hadNews
  }

  /// Answers a job's request.
  private mutating func end(_ index: Int, _ outcome: DiskOutcome, _ now: UInt64, _ counters: inout DiskCounters) {
    guard let job = jobs[index] else { return }
    jobs[index] = nil
    busy &= ~(1 << UInt32(index))
    let client = job.client
    queue.finish(client, bytes: job.request.byteCount)
    clients[client].issued -= 1
    counters.clients[client].depth = UInt32(clients[client].issued)
    guard clients[client].isLive else { return }
    counters.clients[client].note(job.request, outcome, now)
    if outcome != .success, mayComplain(client) { complain(client, job.request, outcome) }
    clients[client].answer(job.request, outcome == .success ? .done : .failed)
    unpublished.insert(.client(client))
  }

  // MARK: - Publishing

  private mutating func publishAll(_ counters: inout DiskCounters) {
    var rest = unpublished
    while let client = rest.takeFirst() { publish(client, &counters) }
  }

  /// Shows a driver its answers, and interrupts it if it waits for them.
  mutating func publish(_ client: Int, _ counters: inout DiskCounters) {
    unpublished.remove(.client(client))
    let events = clients[client].publish()
    guard !events.isEmpty else { return }
    counters.clients[client].interrupts &+= UInt64(events.rawValue.nonzeroBitCount)
    clients[client].news.events.insert(events)
    signalled.insert(.client(client))
  }
}

extension Client {
  /// Shows the driver its answers.
  /// - Returns: The queues that it is to be interrupted for.
  fileprivate mutating func publish() -> DeviceEvents {
    var events = DeviceEvents.none
    for number in 0..<queues.count {
      queues[number]?.publish()
      if queues[number]?.needsInterrupt() == true { events.insert(.queue(number)) }
    }
    return events
  }

  /// Asks for kicks.
  /// - Returns: Whether there is something to take already.
  fileprivate mutating func asksForKicks() -> Bool {
    var hasMore = false
    for number in 0..<queues.count where queues[number]?.enableKicks() == true { hasMore = true }
    return hasMore
  }
}
