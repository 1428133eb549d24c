// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
package import AHCI
import Bits
import Storage
package import Virtio

/// A drive behind an AHCI controller, which reads and writes the memory of guests by itself.
package struct AHCIDrive<Registers: RegisterSpace>: ~Copyable, DiskDrive {
  private var controller: AHCIController<Registers>
  private let buffers: DriveBuffers
  private let guests: InlineArray<16, GuestPlace>
  /// Whether the controller's interrupts arrive; else it is looked at again and again.
  private let hasInterrupts: Bool
  private static var lookPeriod: UInt64 { 1_000_000 }

  /// - Parameters:
  ///   - registers: The controller's.
  ///   - buffers: The memory shared with it.
  ///   - guests: Where the controller finds the memory of VMs.
  ///   - hasInterrupts: Whether the controller's interrupts arrive.
  package init(
    registers: Registers, buffers: DriveBuffers, guests: InlineArray<16, GuestPlace>, hasInterrupts: Bool, now: UInt64
  ) {
    self.hasInterrupts = hasInterrupts
    controller = AHCIController(registers: registers, memory: buffers.controllerArea, now: now)
    self.buffers = buffers
    self.guests = guests
  }

  package var zeroesLimit: UInt64 { DriveBuffers.zeroesSize * UInt64(controller.requestLimits.segments) }
  package var counters: Counters { controller.counters }
  package var model: DriveText { controller.drive?.model ?? DriveText() }
  package var serial: DriveText { controller.drive?.serial ?? DriveText() }
  package var isQuiet: Bool { controller.isQuiet }

  package var status: DriveStatus {
    switch controller.status {
    case .starting: .starting
    case .ready: facts == nil ? .failed : .ready
    case .recovering: .recovering
    case .absent: .absent
    case .failed: .failed
    }
  }

  package var facts: DriveFacts? {
    guard let drive = controller.drive, let size = SectorSize(rawValue: drive.sectorSize),
      let geometry = DiskGeometry(sectorSize: size, sectorCount: drive.sectorCount)
    else { return nil }
    let limits = controller.requestLimits
    var facts = DriveFacts(geometry: geometry, depth: max(limits.depth, 1))
    facts.hasFlush = drive.hasFlush
    facts.hasDurableWrites = drive.hasDurableWrites
    facts.discardSectors = drive.hasDiscard ? limits.discardSectors : 0
    facts.discardsToZero = drive.discardsToZero
    facts.physicalExponent = drive.physicalSectorExponent
    facts.alignmentOffset = UInt8(clamping: drive.alignmentOffset)
    facts.generation = controller.generation
    return facts
  }

  package mutating func service(now: UInt64, hasInterrupt: Bool) {
    if hasInterrupt {
      controller.interrupt(now: now)
    } else if !hasInterrupts || controller.needsService(at: now) {
      controller.service(now: now)
    }
  }

  package func nextDeadline(after now: UInt64) -> UInt64? {
    let time = controller.nextDeadline(after: now)
    return hasInterrupts ? time : min(time ?? .max, now &+ Self.lookPeriod)
  }

  package mutating func submit(
    _ request: DiskRequest, _ data: DriveData, _ chain: borrowing DescriptorChain
  ) throws(RequestError) {
    switch data {
    case .none: try controller.submit(request)
    case .buffer(let count):
      let address = buffers.bufferAddress
      try controller.submit(request) { (list: inout ScatterList) throws(RequestError) in
        try list.append(address, byteCount: count)
      }
    case .zeroes(let count):
      let address = buffers.zeroesAddress
      try controller.submit(request) { (list: inout ScatterList) throws(RequestError) in
        var left = count
        while left > 0 {
          let part = min(left, DriveBuffers.zeroesSize)
          try list.append(address, byteCount: part)
          left -= part
        }
      }
    case .chain(let part, _, let guest):
      let place = guests[guest]
      try controller.submit(request) { (list: inout ScatterList) throws(RequestError) in
        try chain.eachPiece(of: part) { (address, count) throws(RequestError) in
          try list.append(try place.deviceAddress(of: address), byteCount: count)
        }
      }
    }
  }

  package mutating func issue(now: UInt64) { controller.issue(now: now) }

  /// What was given up counts as ended only when the controller cannot be in the middle of it any more.
  package mutating func takeCompletion() -> Completion? { isQuiet ? controller.takeCompletion() : nil }

  package func withBuffer<R>(_ byteCount: Int, _ body: (borrowing RawSpan) -> R) -> R {
    buffers.withBuffer(byteCount, body)
  }
}

extension GuestPlace {
  /// Where the device finds the byte at a guest address that was checked.
  fileprivate func deviceAddress(of address: GuestAddress) throws(RequestError) -> UInt64 {
    let isHigh = address.value >= GuestMemory.highStart
    let start = isHigh ? high : low
    let offset =
      isHigh
      ? address.value - GuestMemory.highStart
      : LowMemory(size: lowSize, base: lowBase).offset(of: address.value, count: 1)
    // The first page of the machine is nobody's.
    guard start != 0, let offset else { throw .addressTooHigh }
    return start + offset
  }
}
