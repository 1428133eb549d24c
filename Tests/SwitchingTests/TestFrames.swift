// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI

/// `struct virtio_net_hdr` as a driver writes it.
struct VirtioHeader: Sendable {
  var flags: UInt8 = 0
  var kind: UInt8 = 0
  var headerLength = 0
  var segmentSize = 0
  var start = 0
  var offset = 0
  var buffers = 0

  var bytes: [UInt8] {
    [flags, kind] + [headerLength, segmentSize, start, offset, buffers].flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
  }
}

/// The big-endian bytes of a number.
func wire<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

/// An Ethernet frame.
func ethernet(
  to destination: MACAddress, from source: MACAddress, tags: [UInt16] = [], type: UInt16 = 0x88b5,
  _ payload: [UInt8] = Array(repeating: 0x5a, count: 46)
) -> [UInt8] {
  (0..<6).map { destination[$0] } + (0..<6).map { source[$0] } + tags.flatMap { wire(0x8100 as UInt16) + wire($0) }
    + wire(type) + payload
}

/// The Internet checksum, in the plainest way there is.
func plainChecksum(_ bytes: [UInt8]) -> UInt16 {
  var sum: UInt32 = 0
  for index in bytes.indices { sum += UInt32(bytes[index]) << (index % 2 == 0 ? 8 : 0) }
  while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
  return UInt16(sum)
}

/// A TCP segment in IPv4 or IPv6, inside Ethernet.
struct TestSegment {
  var isIPv6 = false
  var tags: [UInt16] = []
  var sequence: UInt32 = 1000
  var identification: UInt16 = 0xfffe
  var flags: UInt8 = 0x10
  var ipOptions = 0
  var tcpOptions = 12
  var payload: [UInt8]

  var networkStart: Int { 14 + 4 * tags.count }
  var transportStart: Int { networkStart + (isIPv6 ? 40 : 20) + ipOptions }
  var headerLength: Int { transportStart + 20 + tcpOptions }
  private var transportLength: Int { 20 + tcpOptions + payload.count }
  private var addresses: [UInt8] { (0..<(isIPv6 ? 32 : 8)).map { UInt8($0 + 1) } }

  /// The sum over the pseudo header, which a driver leaves in the checksum field of an incomplete frame.
  private var pseudoSum: UInt16 { plainChecksum(addresses + wire(UInt32(transportLength)) + [0, 6]) }

  /// The virtio header for a checksum to be completed, and for segmentation if `size` is not zero.
  func header(size: Int = 0, hasECN: Bool = false) -> [UInt8] {
    let kind: UInt8 = size == 0 ? 0 : (isIPv6 ? 4 : 1) | (hasECN ? 0x80 : 0)
    return VirtioHeader(
      flags: 1, kind: kind, headerLength: size == 0 ? 0 : headerLength, segmentSize: size, start: transportStart,
      offset: 16
    ).bytes
  }

  /// The frame, with its checksum complete or not.
  func frame(to destination: MACAddress, from source: MACAddress, isComplete: Bool) -> [UInt8] {
    var tcp: [UInt8] = wire(4000 as UInt16) + wire(80 as UInt16) + wire(sequence) + wire(77 as UInt32)
    tcp += [UInt8((20 + tcpOptions) / 4) << 4, flags] + wire(8192 as UInt16) + wire(pseudoSum) + [0, 0]
    tcp += Array(repeating: 1, count: tcpOptions) + payload
    if isComplete { tcp.replaceSubrange(16..<18, with: wire(~plainChecksum(tcp))) }
    let type: UInt16 = isIPv6 ? 0x86dd : 0x0800
    return ethernet(to: destination, from: source, tags: tags, type: type, network + tcp)
  }

  private var network: [UInt8] {
    if isIPv6 {
      // Options for all hops: one of padding.
      let options: [UInt8] = [6, UInt8(max(ipOptions, 8) / 8 - 1), 1, UInt8(max(ipOptions, 8) - 4)]
      return [0x60, 0, 0, 0] + wire(UInt16(clamping: ipOptions + transportLength)) + [ipOptions == 0 ? 6 : 0, 64]
        + addresses + (0..<ipOptions).map { $0 < 4 ? options[$0] : 0 }
    }
    let length = UInt16(clamping: 20 + ipOptions + transportLength)
    var ip: [UInt8] = [0x45 + UInt8(ipOptions / 4), 0] + wire(length) + wire(identification) + [0x40, 0, 64, 6, 0, 0]
    ip += addresses + Array(repeating: 1, count: ipOptions)
    ip.replaceSubrange(10..<12, with: wire(~plainChecksum(ip)))
    return ip
  }
}
