// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import CX86
import PCI
import Synchronization

// Each line and each device has a budget of interrupts (`InterruptBudget`); this is what it does to them. An interrupt
// arrives on the core of its owner, which alone counts, holds and releases.

extension Kernel {
  /// Counts an interrupt of line `index`, and holds its source back if there were too many.
  /// - Returns: Whether its owner is to hear of it.
  func admits(_ index: Int) -> Bool {
    let place = lines[index].budgetPlace
    let frequency = information.value.tscFrequency
    switch lines[place].budget.take(now: cx86_rdtsc(), second: frequency) {
    case .deliver: return true
    case .hold(let isFirst):
      hold(place)
      if isFirst { sayStorm(of: place, "is held back") }
      return true
    case .stop(let isFirst):
      if isFirst { giveUp(place) }
      stop(place)
      return false
    }
  }

  /// Nobody wanted the interrupt that came with the vector of line `index`; its pin is masked.
  func holdUnwanted(_ index: Int) {
    let now = cx86_rdtsc()
    let frequency = information.value.tscFrequency
    if lines[index].budget.takeUnwanted(now: now, second: frequency) {
      let name = domains[lines[index].owner].name
      log(.warning, "\(name): a line that it may use fires, and no device says why; it is looked at every 10 ms")
    }
    expectRelease(of: index)
  }

  /// Opens what was held back of the lines of a domain, if it is time.
  /// - Returns: When to come again; 0 for never.
  func releaseLines(of domain: Int, now: UInt64, from core: Int) -> UInt64 {
    var next: UInt64 = 0
    for index in 0..<lines.count where lines[index].owner == domain && lines[index].budget.isHeld {
      if lines[index].budget.release(now: now) { release(index, from: core) }
      let until = lines[index].budget.heldUntil
      if until != 0, next == 0 || until < next { next = until }
    }
    return next
  }

  /// The owner of devices starts anew, and they with it.
  func forgetStorms(of domain: Int) {
    for index in 0..<lines.count where lines[index].owner == domain && lines[index].page != nil {
      lines[index].budget.forget()
    }
  }

  /// Has a device whose interrupts were chosen anew be held back as before.
  func holdAgain(_ device: Int) {
    for index in 0..<lines.count where lines[index].page != nil && lines[index].function != nil {
      guard lines[index].function == lines[passed[device].firstLine].function else { continue }
      if lines[index].budget.isStopped {
        stop(index)
      } else if lines[index].budget.isHeld {
        hold(index)
      }
    }
  }

  // MARK: - At the source

  private func hold(_ index: Int) {
    let line = lines[index]
    if line.isMessage, let function = line.function {
      functions[function].holdMessages(in: access)
    } else if line.page == nil {
      interrupts.mask(line)
    }
    // The pin of a guest's line is masked by who asks whose it is, and stays so.
    expectRelease(of: index)
  }

  private func release(_ index: Int, from core: Int) {
    let line = lines[index]
    if line.isMessage, let function = line.function {
      functions[function].releaseMessages(in: access, sendsMessage: sendsMessage(line))
    } else if line.page == nil {
      interrupts.unmask(line)
    } else {
      return interrupts.lock[0].hold { openPins(of: index) }
    }
    // What came meanwhile may be lost: its owner is to look for itself.
    deliver(index, from: core)
  }

  /// A device goes on though it is masked: it may heed none of its registers, so the IOMMU is to refuse what it sends.
  private func giveUp(_ index: Int) {
    let line = lines[index]
    sayStorm(
      of: index,
      line.page == nil
        ? "does not stop: it is switched off for good" : "does not stop: it is switched off until its VM starts anew")
    if let function = line.function { admitInterrupts(of: functions[function].address, false) }
  }

  private func stop(_ index: Int) {
    let line = lines[index]
    guard let function = line.function else { return hold(index) }
    functions[function].quiesce(in: access)
    if !line.isMessage, line.page != nil { interrupts.lock[0].hold { maskPin(ofVectorOf: index) } }
  }

  /// Whether the device of a line sends its single message.
  private func sendsMessage(_ line: InterruptLine) -> Bool {
    guard line.page != nil else { return true }
    for device in 0..<passed.count where lines[passed[device].firstLine].function == line.function {
      return passed[device].delivery == .message
    }
    return false
  }

  private func expectRelease(of index: Int) {
    let owner = lines[index].owner
    let until = lines[index].budget.heldUntil
    guard until != 0 else { return }
    let other = threads[owner].releaseAt
    threads[owner].releaseAt = other == 0 ? until : min(other, until)
    cores[threads[owner].core].wasCalled.store(true, ordering: .sequentiallyConsistent)
  }

  private func sayStorm(of index: Int, _ outcome: StaticString) {
    let line = lines[index]
    let name = domains[line.owner].name
    let most = UInt64(line.budget.kind.most) * InterruptBudget.windowsInSecond
    if let function = line.function {
      let address = functions[function].address
      log(.error, "\(name): \(address) sends more than \(most) interrupts a second, and \(outcome)")
    } else {
      let gsi = interrupts.external[line.controller].firstGSI + line.pin
      log(.error, "\(name): GSI \(gsi) fires more than \(most) times a second, and \(outcome)")
    }
  }
}
