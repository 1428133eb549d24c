// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import AHCI
import Bits
import Storage
package import Virtio

/// A file of the boot image as a drive that can only be read. It is done with everything at once.
@safe
package struct ImageDrive: ~Copyable, DiskDrive {
  private let base: UnsafeRawPointer
  private let byteCount: UInt64
  /// The sectors that were last read for the service itself.
  private var readOffset: UInt64 = 0
  private var ended = InlineArray<33, Completion>(repeating: Completion(tag: 0, outcome: .success))
  private var endedCount = 0
  package private(set) var counters = Counters()

  /// - Precondition: `base` points to `byteCount` bytes, readable for as long as this value is used, that nobody
  ///   changes.
  package init(unsafeBase base: UnsafeRawPointer, byteCount: UInt64) {
    unsafe self.base = base
    self.byteCount = byteCount
  }

  package var zeroesLimit: UInt64 { 0 }
  package var status: DriveStatus { facts == nil ? .failed : .ready }
  package var isQuiet: Bool { true }
  package var model: DriveText { DriveText() }
  package var serial: DriveText { DriveText() }

  package var facts: DriveFacts? {
    DiskGeometry(sectorSize: .bytes512, sectorCount: byteCount / 512).map { geometry in
      var facts = DriveFacts(geometry: geometry, depth: 32)
      facts.isReadOnly = true
      return facts
    }
  }

  package mutating func service(now: UInt64, hasInterrupt: Bool) {}
  package func nextDeadline(after now: UInt64) -> UInt64? { nil }
  package mutating func issue(now: UInt64) {}

  package mutating func submit(
    _ request: DiskRequest, _ data: DriveData, _ chain: borrowing DescriptorChain
  ) throws(RequestError) {
    guard endedCount < ended.count else { throw .full }
    switch request.kind {
    case .flush: break
    case .read: try read(request, data, chain)
    default: throw .unsupported
    }
    counters.commands += 1
    ended[endedCount] = Completion(tag: request.tag, outcome: .success)
    endedCount += 1
  }

  private mutating func read(
    _ request: DiskRequest, _ data: DriveData, _ chain: borrowing DescriptorChain
  ) throws(RequestError) {
    let size = UInt64(request.sectors) * 512
    guard fits(request.address, count: UInt64(request.sectors), in: byteCount / 512) else { throw .outOfRange }
    var offset = request.address * 512
    switch data {
    case .buffer(let count):
      guard count == size else { throw .lengthMismatch }
      readOffset = offset
    case .chain(let part, let memory, _):
      guard part.count == size else { throw .lengthMismatch }
      // SAFETY: the pointer is only looked at, not followed.
      let image = unsafe base
      chain.eachPiece(of: part) { (address, count) throws(Never) in
        // SAFETY: the pieces together are as long as the sectors, which lie inside the image.
        let bytes = unsafe RawSpan(_unsafeStart: image + Int(offset), byteCount: Int(count))
        // The piece lies in a buffer that was checked.
        try? memory.write(bytes, at: address)
        offset += count
      }
    case .none, .zeroes: throw .unsupported
    }
  }

  package mutating func takeCompletion() -> Completion? {
    guard endedCount > 0 else { return nil }
    endedCount -= 1
    return ended[endedCount]
  }

  package func withBuffer<R>(_ byteCount: Int, _ body: (borrowing RawSpan) -> R) -> R {
    precondition(fits(readOffset, count: UInt64(byteCount), in: self.byteCount))
    // SAFETY: the bytes lie inside the image, checked above; the span does not outlive this call.
    return unsafe body(RawSpan(_unsafeStart: base + Int(readOffset), byteCount: byteCount))
  }
}
