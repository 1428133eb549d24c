// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Processors
import Synchronization
import X86

/// What a core says of NMIs and machine checks once it can, and how it finds errors that nobody was told of.
extension MachineChecks {
  private static var secondsBetweenPolls: UInt64 { 60 }

  /// Says what the handlers of core `index` noted, and once a minute looks at the banks. A core that sleeps is not woken
  /// for that.
  @inline(__always)
  func serve(_ index: Int, now: UInt64, _ kernel: Kernel) {
    if now >= events[index].nextPoll { poll(index, now) }
    if events[index].takeNotice() { report(index, now: now, kernel) }
  }

  /// Notes what hardware has mended by itself, or has found before anybody used it.
  @inline(never)
  private func poll(_ index: Int, _ now: UInt64) {
    events[index].nextPoll = now &+ Self.secondsBetweenPolls &* frequency
    ErrorBanks.each(rules) { bank in
      let severity = bank.severity(rules)
      guard severity == .corrected || severity == .waiting else { return }
      events[index].add(MetError(bank: bank, wasRaised: false, stopped: nil))
      ErrorBanks.clear(bank)
    }
  }

  /// Says what was noted.
  @inline(never)
  func report(_ index: Int, now: UInt64, _ kernel: Kernel) {
    reportNMIs(index, .systemError, now)
    reportNMIs(index, .channelCheck, now)
    reportNMIs(index, .unknown, now)
    let lost = events[index].takeLost()
    if lost > 0 { log(.error, "\(lost) more machine checks on core \(index)") }
    while let error = events[index].takeError() { report(error, index, now, kernel) }
  }

  private func reportNMIs(_ index: Int, _ source: NMISource, _ now: UInt64) {
    let count = events[index].take(source)
    guard count > 0 else { return }
    let answer = events[index].nmiAllowance.take(now: now / frequency)
    guard answer != .keep else { return }
    log(.warning, "NMI on core \(index): \(source.sentence)")
    if answer == .reportLast { log(.warning, "  further NMIs of core \(index) are not logged for an hour") }
  }

  private func report(_ error: MetError, _ index: Int, _ now: UInt64, _ kernel: Kernel) {
    let severity = error.bank.severity(rules)
    if severity == .corrected {
      let answer = events[index].allowance.take(now: now / frequency)
      guard answer != .keep else { return }
      if case .report(let kept) = answer, kept > 0 {
        log(.warning, "\(kept) corrected errors of core \(index) were not logged")
      }
    }
    let level: LogLevel = severity == .corrected ? .warning : .error
    log(level, error.bank.line(core: index, rules))
    log(level, error.bank.registers)
    if let (address, size) = error.bank.memory(rules), let guest = guest(at: address, size: size) {
      let name = kernel.domains[guest.domain].name
      let end: StaticString = error.wasRaised && severity > .corrected ? ": it is stopped" : ""
      log(level, "\(name): memory error at guest address \(hex: guest.address)\(end)")
    } else if let stopped = error.stopped {
      log(level, "\(kernel.domains[stopped].name) was at work: it cannot go on")
    }
  }
}

extension Core {
  /// The guest of a thread left because of a machine check, or was not entered.
  mutating func meetMachineCheck(inGuestOf index: Int, _ kernel: Kernel) {
    guard MachineCheck.meet(on: self.index, .guest) == .stopInterrupted else { return }
    stop(index, .crashed, kernel)
  }
}
