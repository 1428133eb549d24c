// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Virtio

/// A frame that a VM sent: its checked virtio header, and what a switch must know of its Ethernet header.
///
/// Both are read once. What receivers get of these bytes is written from here: the VM may change its memory after the
/// check, and must not change a VLAN or a sender with it.
struct Frame {
  /// Bytes from the start of a transmit chain that are read: virtio header, Ethernet header, one tag.
  static var readLength: Int { NetworkHeader.size + 18 }
  /// The longest frame a card sends or takes (virtio 1.2, §5.1.6.3.1: buffers of 65562 bytes, 12 of them header).
  static var maximumLength: Int { 65550 }

  /// As the sender's driver may use it.
  let header: NetworkHeader
  /// Bytes, virtio header not counted.
  let length: Int
  let destination: MACAddress
  let source: MACAddress
  /// The VLAN tag's 16 bits.
  let tag: UInt16?
  /// What is in the frame, as said behind the tag.
  let type: UInt16

  /// Bytes of the Ethernet header, tag included.
  var headLength: Int { tag == nil ? 14 : 18 }

  /// - Parameters:
  ///   - bytes: The first `readLength` bytes of a transmit chain, or all if there are fewer.
  ///   - chainLength: Bytes of the whole chain.
  ///   - features: What the sender's driver negotiated.
  /// - Returns: `nil` if the frame is malformed.
  init?(_ bytes: borrowing RawSpan, chainLength: Int, features: VirtioFeatures) {
    length = chainLength - NetworkHeader.size
    guard length <= Self.maximumLength, let header = NetworkHeader(bytes),
      let destination = bytes.loadAddress(NetworkHeader.size),
      let source = bytes.loadAddress(NetworkHeader.size + 6),
      let type = bytes.loadWire(NetworkHeader.size + 12, as: UInt16.self)
    else { return nil }
    self.header = header
    self.destination = destination
    self.source = source
    if type == VLANRules.tagType {
      guard let tag = bytes.loadWire(NetworkHeader.size + 14, as: UInt16.self),
        let inner = bytes.loadWire(NetworkHeader.size + 16, as: UInt16.self)
      else { return nil }
      self.tag = tag
      self.type = inner
    } else {
      tag = nil
      self.type = type
    }
    guard hasSoundOffloads(features) else { return nil }
  }

  /// Whether the driver keeps to what it negotiated, and all that its header points to is inside the frame
  /// (virtio 1.2, §5.1.6.2.1).
  private func hasSoundOffloads(_ features: VirtioFeatures) -> Bool {
    if header.needsChecksum {
      let field = Int(header.checksumStart) + Int(header.checksumOffset)
      guard features.contains(.sendChecksum), Int(header.checksumStart) >= headLength, field + 2 <= length else {
        return false
      }
    }
    switch header.segmentation {
    case .none: return !header.hasECN
    case .tcp4: guard features.contains(.sendTCP4) else { return false }
    case .tcp6: guard features.contains(.sendTCP6) else { return false }
    }
    return header.needsChecksum && header.segmentSize != 0 && (!header.hasECN || features.contains(.sendECN))
  }

  /// The virtio header for a receiver that takes the frame as it is, its Ethernet header being `headLength` long.
  func passedHeader(headLength newLength: Int) -> NetworkHeader {
    var result = NetworkHeader()
    guard header.needsChecksum else { return result }
    let shift = newLength - headLength
    result.needsChecksum = true
    // At most 65535 + 4 - 14: a start of more than 65535 was no frame's.
    result.checksumStart = UInt16(clamping: Int(header.checksumStart) + shift)
    result.checksumOffset = header.checksumOffset
    guard header.segmentation != .none else { return result }
    result.segmentation = header.segmentation
    result.hasECN = header.hasECN
    result.segmentSize = header.segmentSize
    // The sender's number is a hint only; a receiver is to find the transport header within it (§5.1.6.4.1).
    let least = Int(header.checksumStart) + Int(header.checksumOffset) + 2
    result.headerLength = UInt16(clamping: min(max(Int(header.headerLength), least), length) + shift)
    return result
  }
}
