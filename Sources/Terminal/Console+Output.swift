// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

extension Console {
  /// Bytes one VM may show before it is the next one's turn.
  private static var piece: Int { 256 }
  /// Bytes one hidden VM may add to its history in one step.
  private static var hiddenPiece: Int { 16 * 1024 }
  /// An output ring with less room than this counts as full.
  private static var margin: Int { 4096 }

  /// Takes what VMs printed, in turns, while the UART has little to do; hidden VMs print into their histories.
  mutating func showOutput() {
    hasMoreHidden = false
    for index in 0..<machines where isHidden(index) { hide(index) }
    var idle = 0
    while idle < machines, hasRoom {
      let index = turn
      turn = (turn + 1) % machines
      idle = !isHidden(index) && showPiece(of: index) > 0 ? 0 : idle + 1
    }
  }

  /// Whether more may be put before the UART.
  var hasRoom: Bool { screen.queue.count < Self.outputAhead }

  private func isHidden(_ index: Int) -> Bool { screen.mode == .onlyFocus && index != screen.focus }

  /// Shows what VM `index` printed while it was hidden, then what it prints.
  /// - Returns: How many bytes were shown.
  private mutating func showPiece(of index: Int) -> Int {
    let ring = host.output(of: index)
    var shown = 0
    while shown < Self.piece, hasRoom {
      guard let byte = nextByte(of: index, from: ring) else { break }
      screen.show(byte, of: index)
      shown += 1
    }
    noteRoom(in: ring, of: index, taken: shown)
    return shown
  }

  private mutating func nextByte(of index: Int, from ring: ByteRing) -> UInt8? {
    let lost = screen.views[index].history.takeLost()
    if lost > 0 {
      screen.say("\(lost) bytes of \(screen.views[index].name) are lost: it printed too much while it was not shown")
    }
    return screen.views[index].history.removeFirst() ?? ring.read()
  }

  private mutating func hide(_ index: Int) {
    let ring = host.output(of: index)
    var taken = 0
    while taken < Self.hiddenPiece, let byte = ring.read() {
      screen.views[index].history.append(byte)
      taken += 1
    }
    noteRoom(in: ring, of: index, taken: taken)
    if taken == Self.hiddenPiece { hasMoreHidden = true }
  }

  /// Has the VMM told once there is room again in a ring that it may have found full.
  private mutating func noteRoom(in ring: ByteRing, of index: Int, taken: Int) {
    if ring.count + taken > ring.capacity - Self.margin { links[index].wasFull = true }
    guard links[index].wasFull, ring.count <= ring.capacity / 2 else { return }
    links[index].wasFull = false
    links[index].needsSignal = true
  }

  // MARK: - The log

  /// Shows new lines of the log; while only one VM is shown they wait, so as not to disturb a program that has the
  /// whole screen.
  mutating func showLog() {
    guard screen.mode == .all else { return }
    while hasRoom {
      switch log.take() {
      case .nothing: return
      case .lost(let count): screen.say("\(count) lines of the log are lost", level: LogLevel.warning.rawValue)
      case .line(let record): show(record)
      }
    }
  }

  private mutating func show(_ record: LogRecord) {
    var text = LogLine()
    for index in 0..<min(Int(record.count), LogLine.rowCapacity) {
      text.append(printable: record.text[index])
    }
    screen.say(text, from: source(of: record.source), level: record.level)
  }

  private func source(of domain: UInt16) -> ScreenMultiplexer.Source {
    guard domain != LogRecord.kernelSource, Int(domain) < BootLimits.domains else { return .kernel }
    for index in 0..<machines where configuration.machines[index].domain == UInt32(domain) { return .monitor(index) }
    return .server(host.status(of: UInt32(domain)).name)
  }

  // MARK: - What went wrong

  /// Says what was typed in vain, once there is room again.
  mutating func reportLosses() {
    guard hasRoom else { return }
    let overruns = port.takeOverruns()
    if overruns > 0 { screen.say("\(overruns) typed characters came too fast for the serial port and are lost") }
    for index in 0..<machines where links[index].dropped > 0 {
      let ring = host.input(of: index)
      guard ring.space >= ring.capacity / 2 || !links[index].isRunning else { continue }
      let name = configuration.machines[index].name
      screen.say("\(links[index].dropped) typed characters are lost: \(name) did not read them in time")
      links[index].dropped = 0
    }
  }

  /// Says which VMs ended or came back.
  mutating func reportLifeCycles() {
    guard hasRoom else { return }
    for index in 0..<machines {
      let status = host.status(of: configuration.machines[index].domain)
      guard status.state != links[index].state || status.starts != links[index].starts else { continue }
      links[index].remember(status)
      links[index].wasRefused = false
      let name = configuration.machines[index].name
      if status.state != DomainState.idle.rawValue { screen.endMachine(index) }
      switch DomainState(rawValue: status.state) {
      case .running where status.starts > 1: screen.say("\(name) starts, for the \(ordinal: status.starts) time")
      case .stopped: screen.say("\(name) is off; @p \(index) switches it on")
      case .crashed:
        screen.say(
          "\(name) crashed; @r \(index) starts it anew, @t \(index) shows its last exits",
          level: LogLevel.error.rawValue)
      default: break
      }
    }
  }
}

extension LogLine {
  /// A number as 1st, 2nd, 3rd.
  mutating func appendInterpolation(ordinal number: UInt32) {
    append(magnitude: UInt64(number), radix: 10)
    switch (number % 10, number % 100) {
    case (1, let rest) where rest != 11: appendLiteral("st")
    case (2, let rest) where rest != 12: appendLiteral("nd")
    case (3, let rest) where rest != 13: appendLiteral("rd")
    default: appendLiteral("th")
    }
  }
}
