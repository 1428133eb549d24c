// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import CX86

// A device's interrupt, from the pin or the message to its owner.
//
// The line of a guest's device may be shared: a pin that fires is masked; each owner whose device says that it wants an
// interrupt is told; once all of them have acknowledged, the pin is opened again.
//
// Where the pin of a line is not known it is found: all pins that PCI may use are opened, with the line's vector. The one
// that fires while the device says that it wants an interrupt is the device's.

extension Kernel {
  /// Line `index` fired.
  func fire(line index: Int, from core: Int) {
    guard admits(index) else { return }
    let line = lines[index]
    guard line.isLevel else { return deliver(index, from: core) }
    guard line.page != nil else {
      // It stays raised until its driver has seen to the device: silent until it says so.
      interrupts.mask(line)
      return deliver(index, from: core)
    }
    let told = claim(index)
    for device in 0..<passed.count where told & 1 << UInt64(device) != 0 {
      deliver(passed[device].firstLine, from: core)
    }
  }

  /// Tells the owner of a line of an interrupt.
  func deliver(_ index: Int, from core: Int) {
    let line = lines[index]
    line.page?.raise(line.bit)
    raise(Notifications(rawValue: line.notification), for: line.owner, from: core)
  }

  /// A domain has seen to its device.
  func acknowledge(line index: Int) {
    let line = lines[index]
    guard line.isLevel else { return }
    guard line.page != nil else {
      if !line.budget.isHeld { interrupts.unmask(line) }
      return
    }
    interrupts.lock[0].hold {
      lines[index].isAwaiting = false
      if line.isFound { open(line.controller, line.pin) }
    }
  }

  /// Lets the line of a guest's device fire, looking for it if need be.
  func arm(line index: Int) {
    interrupts.lock[0].hold {
      lines[index].isArmed = true
      lines[index].isAwaiting = false
      openPins(of: index)
    }
  }

  func disarm(line index: Int) {
    guard lines[index].isArmed else { return }
    interrupts.lock[0].hold {
      lines[index].isArmed = false
      lines[index].isAwaiting = false
      openPins(of: index)
    }
  }

  // MARK: - Whose it is

  /// Whose devices want the interrupt that came with the vector of line `index`, a bit for each; its pin is masked. They
  /// are asked with the lock open, or one that is slow to answer would hold up all who mask or open a pin.
  private func claim(_ index: Int) -> UInt64 {
    var place: (controller: Int, pin: UInt32)?
    var asked: UInt64 = 0
    interrupts.lock[0].hold {
      place = pin(ofVectorOf: index)
      guard let place else { return }
      interrupts.external[place.controller][place.pin] = maskedEntry(place.controller, place.pin)
      for device in 0..<passed.count where mayUse(place, device) { asked |= 1 << UInt64(device) }
    }
    guard let place else { return 0 }
    var wanting: UInt64 = 0
    for device in 0..<passed.count where asked & 1 << UInt64(device) != 0 {
      if passed[device].place?.function.wantsInterrupt(in: access) == true { wanting |= 1 << UInt64(device) }
    }
    var told: UInt64 = 0
    interrupts.lock[0].hold { told = assign(place, wanting) }
    if told == 0 { holdUnwanted(index) } else { lines[index].budget.noteWanted() }
    return told
  }

  // MARK: - Under the lock

  /// Opens or masks the pin of a guest's line, or each that it may be.
  func openPins(of index: Int) {
    if lines[index].isFound {
      open(lines[index].controller, lines[index].pin)
    } else {
      eachCandidate { open($0, $1) }
    }
  }

  /// The entry of a pin that is not to fire. It keeps its trigger, or the end of a level would be missed, and its vector,
  /// or the end of its interrupt would.
  private func maskedEntry(_ controller: Int, _ pin: UInt32) -> UInt64 {
    interrupts.external[controller][pin] | IOAPIC.masked | IOAPIC.isLevel | IOAPIC.isLow
  }

  /// Masks the pin whose interrupt comes with the vector of line `index`.
  func maskPin(ofVectorOf index: Int) {
    guard let pin = pin(ofVectorOf: index) else { return }
    interrupts.external[pin.controller][pin.pin] = maskedEntry(pin.controller, pin.pin)
  }

  /// Whether a device's line is at this pin, or may be.
  private func mayUse(_ place: (controller: Int, pin: UInt32), _ device: Int) -> Bool {
    let line = lines[passed[device].firstLine]
    guard passed[device].place != nil, line.isArmed else { return false }
    return !line.isFound || line.controller == place.controller && line.pin == place.pin
  }

  /// Notes whose interrupt it was that came from a pin, by who wanted one a moment ago; since then a device may have been
  /// found elsewhere, or have nothing to do with lines any more, and another owner may have opened the pin again: then it
  /// only fires once more.
  private func assign(_ place: (controller: Int, pin: UInt32), _ wanting: UInt64) -> UInt64 {
    var wanting = wanting
    var sharing: UInt64 = 0
    for device in 0..<passed.count {
      let bit: UInt64 = 1 << UInt64(device)
      guard mayUse(place, device) else {
        wanting &= ~bit
        continue
      }
      if lines[passed[device].firstLine].isFound {
        sharing |= bit
      } else if wanting & bit != 0 {
        found(device, place.controller, place.pin)
      }
    }
    // A device may have changed its mind: then those who are known to use the pin look for themselves.
    let told = wanting != 0 ? wanting : sharing
    for device in 0..<passed.count where told & 1 << UInt64(device) != 0 {
      lines[passed[device].firstLine].isAwaiting = true
    }
    return told
  }

  private func pin(ofVectorOf index: Int) -> (controller: Int, pin: UInt32)? {
    let line = lines[index]
    if line.isFound { return (line.controller, line.pin) }
    var found: (controller: Int, pin: UInt32)?
    let vector = Vectors.firstLine + UInt64(index)
    eachCandidate { controller, pin in
      let entry = interrupts.external[controller][pin]
      if entry & 0xff == vector, entry & 1 << 14 != 0 { found = (controller, pin) }
    }
    return found
  }

  /// The device's line is at this pin.
  private func found(_ device: Int, _ controller: Int, _ pin: UInt32) {
    guard let place = passed[device].place else { return }
    let line = passed[device].firstLine
    lines[line].controller = controller
    lines[line].pin = pin
    lines[line].isFound = true
    let gsi = interrupts.external[controller].firstGSI + pin
    let name = domains[passed[device].owner].name
    let address = place.function.address
    log(.information, "\(name): the interrupt of \(address) is GSI \(gsi): { pci: \(address), interrupt: \(gsi) }")
    eachCandidate { other, otherPin in if other != controller || otherPin != pin { open(other, otherPin) } }
  }

  /// Opens a pin for the armed lines that use or look for it; masks it if there are none, or one was not acknowledged or is
  /// held back.
  private func open(_ controller: Int, _ pin: UInt32) {
    let masked = maskedEntry(controller, pin)
    var entry = masked
    for device in 0..<passed.count {
      let line = lines[passed[device].firstLine]
      guard passed[device].place != nil, line.isArmed else { continue }
      let isHere = line.isFound && line.controller == controller && line.pin == pin
      if isHere, line.isAwaiting {
        entry = masked
        break
      }
      if isHere || !line.isFound, line.budget.isHeld || line.budget.isStopped {
        entry = masked
        break
      }
      guard entry == masked, isHere || !line.isFound else { continue }
      entry = passed[device].routes[controller]
    }
    interrupts.external[controller][pin] = entry
  }

  /// Calls `body` with each pin that PCI may use: none of ISA's, and none that is another's.
  private func eachCandidate(_ body: (Int, UInt32) -> Void) {
    for controller in 0..<interrupts.external.count {
      let first = interrupts.external[controller].firstGSI
      for pin in 0..<interrupts.external[controller].pinCount where first + pin >= 16 && !isTaken(controller, pin) {
        body(controller, pin)
      }
    }
  }

  /// Whether the pin is that of a server's device, or of NMIs.
  private func isTaken(_ controller: Int, _ pin: UInt32) -> Bool {
    if interrupts.isNonMaskable(controller, pin) { return true }
    for index in 0..<lines.count where lines[index].isLevel && lines[index].page == nil {
      if lines[index].controller == controller, lines[index].pin == pin { return true }
    }
    return false
  }
}
