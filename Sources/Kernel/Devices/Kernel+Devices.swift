// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import CX86
import Firmware
import PCI
import X86

// What a VMM may do with a device of its guest. All of it concerns this device alone: its registers go where the guest
// wants them, but only into that guest; its interrupts are messages that the kernel wrote; the rest of its configuration
// is read-only but for a few bits (`PCIFunction.writeDelegated`).

extension Kernel {
  /// Device `number` of a domain.
  func passedDevice(_ number: UInt64, of domain: Int) throws(Status) -> Int {
    for index in 0..<passed.count where passed[index].owner == domain && UInt64(passed[index].number) == number {
      guard passed[index].place != nil else { throw .notAllowed }
      return index
    }
    throw .notAllowed
  }

  /// Whose device sends requests from this address.
  func owner(of address: FunctionAddress) -> Int? {
    for index in 0..<owners.count where owners[index].address == address { return owners[index].domain }
    return nil
  }

  // MARK: - Where its registers are

  /// Puts a memory range into the guest's memory, or takes it away.
  func map(_ range: Int, of index: Int, at address: UInt64?) throws(Status) {
    guard let place = passed[index].place, range >= 0, range < 6, place.function.ranges[range].isMemory else {
      throw .badArgument
    }
    guard let number = threads[passed[index].owner].virtualCPU else { throw .notAllowed }
    let pages = place.function.ranges[range].pages
    if let address {
      guard address.isAligned(to: 4096), address >= PassedDevice.window.lowerBound,
        fits(address, count: pages.size, in: PassedDevice.window.upperBound)
      else { throw .badArgument }
    }
    virtualCPUs[number].move(place.registerPages(of: range), from: passed[index].mapped[range], to: address)
    passed[index].mapped[range] = address
  }

  // MARK: - Its interrupts

  /// Lets the device send interrupts as `delivery` says.
  func select(_ delivery: PassedDelivery, of index: Int) throws(Status) {
    guard let place = passed[index].place else { throw .notAllowed }
    passed[index].delivery = delivery
    place.function.silence(in: access)
    disarm(line: passed[index].firstLine)
    do throws(MessageProblem) {
      switch delivery {
      case .none: break
      case .message:
        guard place.messages.count > 0 else { throw .missing }
        try place.function.enableMessage(place.messages[0], in: access)
      case .table:
        place.function.change(inserting: .memorySpace, in: access)
        try place.function.enableMessageTable(in: access, DeviceRegisters(registers: access.registers))
      case .line:
        place.function.change(removing: .interruptDisable, in: access)
        arm(line: passed[index].firstLine)
      }
    } catch {
      throw .deviceFailed
    }
    holdAgain(index)
  }

  /// Lets a message of the table through, or masks it.
  func setMessage(_ vector: UInt64, of index: Int, isOpen: Bool) throws(Status) {
    guard let place = passed[index].place, passed[index].delivery == .table,
      vector < UInt64(place.messages.count)
    else { throw .badArgument }
    do throws(MessageProblem) {
      try place.function.setMessage(
        isOpen ? place.messages[Int(vector)] : nil, ofVector: Int(vector), DeviceRegisters(registers: access.registers))
    } catch {
      throw .deviceFailed
    }
  }

  // MARK: - From life to life

  /// Takes a domain's devices out of action: they reach no memory, send nothing, and the guest no longer has them.
  func silenceDevices(of domain: Int) {
    forgetStorms(of: domain)
    for index in 0..<passed.count where passed[index].owner == domain {
      guard let place = passed[index].place else { continue }
      place.function.quiesce(in: access)
      try? select(.none, of: index)
      for range in 0..<6 where passed[index].mapped[range] != nil { try? map(range, of: index, at: nil) }
      passed[index].reset = nil
      _ = passed[index].page.takePending()
      if place.resetMethod == nil { startAnew(place.function.address) }
    }
  }

  /// A device of a VM that starts, with nothing left to do of what it did: it is listened to again.
  private func startAnew(_ device: FunctionAddress) {
    reportFaultsAgain(of: device)
    admitInterrupts(of: device, true)
  }

  /// Lets a device's interrupts arrive, or has the IOMMU refuse them, if it remaps them.
  func admitInterrupts(of device: FunctionAddress, _ isAdmitted: Bool) {
    guard remapping.count > 0 else { return }
    remapping[0].lock.hold { remapping[0].admitInterrupts(of: device, isAdmitted) }
  }

  /// Goes on with a device's reset. → when to come again; `nil` when it is done
  func advanceReset(of index: Int) throws(Status) -> UInt64? {
    guard let place = passed[index].place else { throw .notAllowed }
    guard let method = place.resetMethod else { return nil }
    let scale = information.value.scale
    let now = scale.nanoseconds(ofTicks: cx86_rdtsc())
    if passed[index].reset == nil {
      passed[index].reset = FunctionReset(of: place.function, by: method, place.saved, in: access, now: now)
    }
    switch passed[index].reset?.step(in: access, now: now) {
    case .waiting(let until): return max(scale.ticks(ofNanoseconds: until), 1)
    case .failed:
      passed[index].reset = nil
      throw .deviceFailed
    case .done, nil:
      passed[index].reset = nil
      startAnew(place.function.address)
      return nil
    }
  }
}
