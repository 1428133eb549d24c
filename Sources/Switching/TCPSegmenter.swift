// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Virtio

/// Cuts a long TCP frame into segments for a receiver that does not take it whole.
///
/// Made from a head as the receiver is to get it, whose headers it then turns into those of one segment after the
/// other. What changes from segment to segment: the lengths and IPv4's identification, TCP's sequence number, flags
/// and checksum.
struct TCPSegmenter {
  /// The most segments of a frame. Drivers stay far below: Linux has no segments of fewer than 48 bytes.
  static var maximumCount: Int { 2048 }

  /// Bytes of all headers, Ethernet's first.
  let headerLength: Int
  /// Bytes of TCP payload, and of that in each segment but the last.
  private let payloadLength: Int
  private let segmentSize: Int
  /// Where the IP and TCP headers are.
  private let network: Int
  private let transport: Int
  private let isIPv6: Bool
  /// Values of the whole frame.
  private let identification: UInt16
  private let sequence: UInt32
  private let flags: TCPFlags
  /// The sum of what all checksums cover: addresses and protocol (RFC 9293, §3.1; RFC 8200, §8.1).
  private let pseudoHeader: InternetChecksum

  var count: Int { max(1, (payloadLength + segmentSize - 1) / segmentSize) }

  /// Bytes of all segments.
  var totalLength: Int { count * headerLength + payloadLength }

  /// Bytes of payload in segment `index`, and where they are in all payload.
  func payload(_ index: Int) -> Range<Int> {
    index * segmentSize..<min(payloadLength, (index + 1) * segmentSize)
  }

  /// - Parameters:
  ///   - head: The first bytes of the frame, virtio header left out.
  ///   - header: Its virtio header, with places in `head`.
  ///   - headLength: Bytes of the Ethernet header and its first tag.
  ///   - length: Bytes of the frame.
  /// - Returns: `nil` if the headers are not what the virtio header says, or too long.
  init?(_ head: borrowing RawSpan, _ header: NetworkHeader, headLength: Int, length: Int) {
    guard let network = Self.skipTags(head, from: headLength),
      let version = head.load(network, as: UInt8.self).map({ $0 >> 4 }),
      version == (header.segmentation == .tcp6 ? 6 : 4), header.checksumOffset == Self.checksumOffset
    else { return nil }
    isIPv6 = version == 6
    self.network = network
    transport = Int(header.checksumStart)
    guard isIPv6 ? transport >= network + 40 : Self.isWholeIPv4(head, network, transport),
      let words = head.load(transport + 12, as: UInt8.self).map({ Int($0 >> 4) }), words >= 5,
      let sequence = head.loadWire(transport + 4, as: UInt32.self),
      let flags = head.load(transport + 13, as: UInt8.self),
      let addresses = isIPv6 ? head.slice(network + 8, count: 32) : head.slice(network + 12, count: 8)
    else { return nil }
    headerLength = transport + 4 * words
    guard headerLength <= head.byteCount, headerLength <= length else { return nil }
    payloadLength = length - headerLength
    segmentSize = Int(header.segmentSize)
    identification = isIPv6 ? 0 : head.loadWire(network + 4, as: UInt16.self) ?? 0
    self.sequence = sequence
    self.flags = TCPFlags(rawValue: flags)
    var sum = InternetChecksum()
    sum.add(addresses)
    sum.add(word: 6)
    pseudoHeader = sum
    guard count <= Self.maximumCount else { return nil }
  }

  /// Turns the headers in `head` into those of segment `index`.
  /// - Parameter payloadSum: The sum of the segment's payload.
  func write(_ index: Int, to head: inout MutableRawSpan, payloadSum: InternetChecksum) {
    let range = payload(index)
    let transportLength = UInt16(clamping: headerLength - transport + range.count)
    if isIPv6 {
      head.storeWire(UInt16(clamping: headerLength - network - 40 + range.count), at: network + 4)
    } else {
      writeIPv4(index, UInt16(clamping: headerLength - network + range.count), to: &head)
    }
    head.storeWire(sequence &+ UInt32(range.lowerBound), at: transport + 4)
    var own = flags
    // The first says that the sender slowed down (RFC 3168, §6.1.2), the last that it is done.
    if index > 0 { own.remove(.congestionWindowReduced) }
    if index < count - 1 { own.remove(.finish | .push) }
    head.store(own.rawValue, at: transport + 13)
    head.store(0 as UInt16, at: transport + Int(Self.checksumOffset))
    var sum = pseudoHeader
    sum.add(word: transportLength)
    sum.add(head.bytes.extracting(transport..<headerLength))
    sum.add(payloadSum)
    head.storeWire(sum.value, at: transport + Int(Self.checksumOffset))
  }

  private func writeIPv4(_ index: Int, _ length: UInt16, to head: inout MutableRawSpan) {
    head.storeWire(length, at: network + 2)
    head.storeWire(identification &+ UInt16(index), at: network + 4)
    head.store(0 as UInt16, at: network + 10)
    var sum = InternetChecksum()
    sum.add(head.bytes.extracting(network..<transport))
    head.storeWire(sum.value, at: network + 10)
  }

  /// Where the checksum is in a TCP header.
  private static var checksumOffset: UInt16 { 16 }

  /// Where the network header begins, behind up to two more tags.
  private static func skipTags(_ head: borrowing RawSpan, from headLength: Int) -> Int? {
    var offset = headLength
    for _ in 0..<3 {
      guard let type = head.loadWire(offset - 2, as: UInt16.self) else { return nil }
      guard type == VLANRules.tagType || type == 0x88a8 else { return offset }
      offset += 4
    }
    return nil
  }

  /// Whether the IPv4 header at `network` ends where TCP begins, and is that of no fragment (RFC 791, §3.1).
  private static func isWholeIPv4(_ head: borrowing RawSpan, _ network: Int, _ transport: Int) -> Bool {
    guard let length = head.load(network, as: UInt8.self).map({ Int($0 & 0xf) * 4 }), length >= 20,
      let fragment = head.loadWire(network + 6, as: UInt16.self), let kind = head.load(network + 9, as: UInt8.self)
    else { return false }
    return network + length == transport && fragment & 0x3fff == 0 && kind == 6
  }
}

/// The flags of a TCP header (RFC 9293, §3.1).
private struct TCPFlags: Flags {
  let rawValue: UInt8
  static var finish: Self { .bit(0) }
  static var push: Self { .bit(3) }
  static var congestionWindowReduced: Self { .bit(7) }
}
