// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import AHCI
import Bits
import Storage
import TestSupport

@testable import DiskService

/// A driver of a virtual disk, played by a good one.
final class TestClient {
  static let features: UInt64 = 1 << 32 | 1 << 29 | 1 << 9 | 1 << 11
  let memory: TestMemory
  let queue: TestQueue
  var setup = DeviceSetup()
  /// How requests ended, by the head of their chain.
  var answers: [UInt16: UInt8] = [:]
  /// Answers to chains that were not under way.
  var strayAnswers = 0
  private(set) var open: Set<UInt16> = []

  init(size: Int = 16, features: UInt64 = TestClient.features) {
    let bufferSize = 4096
    memory = TestMemory(size: TestQueue.byteCount(size: size * 4, bufferSize: bufferSize))
    queue = TestQueue(memory, size: size * 4, bufferSize: bufferSize, at: 0, hasEventIndex: true)
    setup.isLive = 1
    setup.queueCount = 1
    setup.features = features
    setup.hasWriteback = 1
    setup.queues[0] = queue.setup
  }

  /// Asks for sectors of the virtual disk.
  @discardableResult
  func read(_ sector: Int, count: Int = 1) -> UInt16? { request(0, sector, [(count * 512, true)]) }

  @discardableResult
  func write(_ sector: Int, _ bytes: [UInt8]) -> UInt16? {
    request(1, sector, [(bytes.count, false)]) { [memory] in memory.store(bytes, at: $0) }
  }

  @discardableResult
  func flush() -> UInt16? { request(4, 0, []) }

  /// Makes a request available.
  func request(
    _ type: UInt32, _ sector: Int, _ data: [(length: Int, isWritable: Bool)], fill: (Int) -> Void = { _ in }
  ) -> UInt16? {
    var head: UInt16?
    let pieces = [(16, false)] + data.filter { !$0.isWritable } + data.filter { $0.isWritable } + [(1, true)]
    _ = queue.offer(pieces) { chain in
      head = chain[0]
      let header = queue.place(chain[0])
      memory[header] = type
      memory[header + 4] = UInt32(0)
      memory[header + 8] = UInt64(sector)
      if chain.count > 2 { fill(queue.place(chain[1])) }
      memory[queue.place(chain[chain.count - 1])] = UInt8(0xff)
    }
    if let head { open.insert(head) }
    return head
  }

  /// Where the data of a request is.
  func data(_ head: UInt16, count: Int) -> [UInt8] { memory.bytes(queue.place(next(head)), count: count) }

  private func next(_ head: UInt16) -> UInt16 { memory[Int(queue.setup.descriptors) + 16 * Int(head) + 14] }

  /// Takes the answers that there are.
  func poll() {
    while let (head, _) = queue.take() {
      if !open.contains(head) { strayAnswers += 1 }
      open.remove(head)
      var last = head
      while memory[Int(queue.setup.descriptors) + 16 * Int(last) + 12, UInt16.self] & 1 != 0 { last = next(last) }
      answers[head] = memory[queue.place(last)]
      queue.release(head)
    }
  }
}

/// A service, its drive, and the clients of it.
final class Rig {
  let disk: TestDisk
  let clients: [TestClient]
  let state: UnsafeMutableRawPointer
  var counters = DiskCounters()
  var configuration = DiskConfiguration()
  var service: DiskService<TestDrive>
  var now: UInt64 = 1000
  private(set) var news: [ClientNews]
  private(set) var messages: [String] = []

  init(_ disk: TestDisk, clients: [TestClient], configure: (Int, inout DiskClientConfiguration) -> Void = { _, _ in }) {
    self.disk = disk
    self.clients = clients
    state = .allocate(byteCount: Int(DiskConfiguration.stateSize), alignment: 4096)
    state.initializeMemory(as: UInt8.self, repeating: 0, count: Int(DiskConfiguration.stateSize))
    configuration.name = "sata0"
    configuration.clientCount = UInt32(clients.count)
    news = clients.map { _ in ClientNews() }
    for index in clients.indices {
      configuration.clients[index].machine = ShortName("vm")
      configuration.clients[index].machineNumber = UInt32(index)
      configuration.clients[index].selection = DiskSelection.number.rawValue
      configuration.clients[index].partition = UInt32(index + 1)
      configuration.clients[index].lowSize = UInt64(clients[index].memory.size)
      configuration.clients[index].name = ShortName("serial")
      configure(index, &configuration.clients[index])
    }
    service = DiskService(
      configuration, drive: TestDrive(disk: disk), unsafeState: state, counters: &counters)
  }

  deinit { state.deallocate() }

  /// Has all drivers use their disks.
  func start() {
    for index in clients.indices { service.propose(clients[index].setup, number: 1, of: index) }
    serve()
  }

  /// Replaces the service by a new one, as if it had trapped; what the drive was doing is not done.
  func restart() {
    disk.pending = []
    disk.ended = []
    service = DiskService(
      configuration, drive: TestDrive(disk: disk), unsafeState: state, counters: &counters)
    for index in clients.indices {
      service.resume(clients[index].setup, of: index, memory: clients[index].memory.memory, counters: &counters)
    }
    serve()
  }

  /// Lets the service do what it can.
  func serve() {
    for index in clients.indices { service.kicked(index) }
    for _ in 0..<64 {
      now += 1000
      let clients = clients
      let turn = service.serve(
        now: now, hasInterrupt: false, memory: { clients[$0].memory.memory }, counters: &counters)
      var signalled = turn.signalled
      while let client = signalled.takeFirst() { hear(service.takeNews(of: client), client) }
      while let message = service.takeMessage() { messages.append(message.line.text) }
      guard turn.hasMore else { return }
    }
  }

  private func hear(_ new: ClientNews, _ client: Int) {
    if let answer = new.answer { news[client].answer = answer }
    if let description = new.description { news[client].description = description }
    news[client].events.insert(new.events)
  }

  /// Serves until nothing is under way.
  func run() {
    for _ in 0..<1000 {
      serve()
      guard !disk.pending.isEmpty else { break }
      disk.finishAll()
    }
    for client in clients { client.poll() }
  }
}

extension LogLine {
  var text: String { String(decoding: (0..<count).map { bytes[$0] }, as: UTF8.self) }
}
