// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Virtio

/// Where a switch works on one frame: large, used again and again.
struct Workbench: ~Copyable {
  /// The frame as it was sent.
  var sent = DescriptorChain()
  /// What a receiver gets of it.
  var head = HeadBuffer()
  var room = ReceiveRoom()
}

/// What became of a frame for one receiver.
enum Delivery {
  /// The receiver has it: so many bytes.
  case delivered(bytes: Int)
  case lost(LossReason)
  /// There are too few buffers now, and the driver was asked to kick when it adds some.
  case waits
}

/// A frame for one receiver.
struct Parcel {
  let frame: Frame
  /// The sender's memory.
  let memory: GuestMemory
  /// The VLAN tag that the receiver is to see.
  let tag: UInt16?
  /// Whether the sender waits if there are no buffers.
  let waits: Bool
}

// A frame reaches a receiver in one of three ways: as it is, with what its sender left to be done passed on to the
// receiver's driver (the fast way: one copy from memory to memory); with its checksum completed here; or cut into TCP
// segments here. It is the receiver's driver that chose, by the features it accepted.
extension Card {
  /// Gives a frame, the one in `bench.sent`, to the driver.
  /// - Parameter done: Segments of it that the driver has already, if it is cut.
  /// - Throws: How the driver broke the rules of its receive queue.
  mutating func give(
    _ parcel: Parcel, on bench: inout Workbench, done: inout Int
  ) throws(QueueError) -> Delivery {
    bench.head.begin(parcel.frame, tag: parcel.tag)
    if passes(parcel.frame.header) { return try pass(parcel, on: &bench) }
    return parcel.frame.header.segmentation == .none
      ? try completeChecksum(parcel, on: &bench) : try cut(parcel, on: &bench, done: &done)
  }

  /// Gives the frame as it is.
  private mutating func pass(_ parcel: Parcel, on bench: inout Workbench) throws(QueueError) -> Delivery {
    let frame = parcel.frame
    let header = frame.passedHeader(headLength: bench.head.count - NetworkHeader.size)
    var body = bench.sent.readable(in: parcel.memory)
    try body.skip(NetworkHeader.size + frame.headLength)
    return try put(
      header, &bench.head, then: frame.length - frame.headLength, of: &body, in: &bench.room, waits: parcel.waits)
  }

  /// Gives the frame with its checksum (virtio 1.2, §5.1.6.2.1: the field holds the sum of the pseudo header).
  private mutating func completeChecksum(_ parcel: Parcel, on bench: inout Workbench) throws(QueueError) -> Delivery {
    let frame = parcel.frame
    let field = Int(frame.header.checksumStart) + Int(frame.header.checksumOffset)
    guard field + 2 <= HeadBuffer.reach else { return .lost(.unsupported) }
    let shift = bench.head.count - NetworkHeader.size - frame.headLength
    let rest = frame.length - field - 2
    var body = bench.sent.readable(in: parcel.memory)
    try body.skip(NetworkHeader.size + frame.headLength)
    try bench.head.add(field + 2 - frame.headLength, from: &body)

    var sum = InternetChecksum()
    bench.head.withBytes(from: NetworkHeader.size + Int(frame.header.checksumStart) + shift) { sum.add($0) }
    try sum.add(bench.sent, from: NetworkHeader.size + field + 2, count: rest, in: parcel.memory)
    bench.head.changeFrame { (bytes: inout MutableRawSpan) in bytes.storeWire(sum.value, at: field + shift) }
    return try put(NetworkHeader(), &bench.head, then: rest, of: &body, in: &bench.room, waits: parcel.waits)
  }

  /// Gives the frame in segments. If the buffers run out between two, `done` says where to go on.
  private mutating func cut(
    _ parcel: Parcel, on bench: inout Workbench, done: inout Int
  ) throws(QueueError) -> Delivery {
    let frame = parcel.frame
    let headLength = bench.head.count - NetworkHeader.size
    let shift = headLength - frame.headLength
    var body = bench.sent.readable(in: parcel.memory)
    try body.skip(NetworkHeader.size + frame.headLength)
    try bench.head.add(min(HeadBuffer.reach, frame.length) - frame.headLength, from: &body)
    let header = frame.passedHeader(headLength: headLength)
    let found = bench.head.withBytes(from: NetworkHeader.size) {
      TCPSegmenter($0, header, headLength: headLength, length: frame.length + shift)
    }
    guard let segmenter = found else { return .lost(.unsupported) }
    bench.head.cut(toFrame: segmenter.headerLength)

    let start = NetworkHeader.size + segmenter.headerLength - shift
    while done < segmenter.count {
      let part = segmenter.payload(done)
      var sum = InternetChecksum()
      try sum.add(bench.sent, from: start + part.lowerBound, count: part.count, in: parcel.memory)
      bench.head.changeFrame { (bytes: inout MutableRawSpan) in segmenter.write(done, to: &bytes, payloadSum: sum) }
      var body = bench.sent.readable(in: parcel.memory)
      try body.skip(start + part.lowerBound)
      let result = try put(
        NetworkHeader(), &bench.head, then: part.count, of: &body, in: &bench.room, waits: parcel.waits)
      guard case .delivered = result else { return result }
      done += 1
    }
    return .delivered(bytes: segmenter.totalLength)
  }

  /// Writes one frame into receive buffers: `head`, with its virtio header, then `count` bytes of the sender's.
  private mutating func put(
    _ header: NetworkHeader, _ head: inout HeadBuffer, then count: Int, of body: inout ChainCursor,
    in room: inout ReceiveRoom, waits: Bool
  ) throws(QueueError) -> Delivery {
    switch try makeRoom(for: head.count + count, in: &room, waits: waits) {
    case .full: return waits ? .waits : .lost(.full)
    case .tooLong: return .lost(.tooLong)
    case .enough: break
    }
    var header = header
    header.bufferCount = UInt16(room.bufferCount)
    head.put(header)
    try fill(room, head, then: count, of: &body)
    return .delivered(bytes: head.count - NetworkHeader.size + count)
  }
}
