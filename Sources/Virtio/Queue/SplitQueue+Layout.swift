// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

/// Where the words of a split virtqueue are (virtio 1.2, §2.7.5 to §2.7.8), in bytes.
enum RingLayout {
  static var maximumSize: UInt16      { 32768 }

  static var descriptorSize: Int      { 16 }      // le64 address, le32 length, le16 flags, le16 next
  static var descriptorAlignment: UInt64 { 16 }
  static var availableAlignment: UInt64  { 2 }
  static var usedAlignment: UInt64       { 4 }

  // Both rings:                                     le16 flags, le16 index, the elements, le16 event
  static var flags: Int               { 0 }
  static var index: Int               { 2 }
  static var elements: Int            { 4 }
  static var availableElement: Int    { 2 }       // le16 head
  static var usedElement: Int         { 8 }       // le32 head, le32 bytes written

  /// Bytes of a ring of `size` elements of `element` bytes.
  static func byteCount(_ size: UInt16, element: Int) -> UInt64 { UInt64(6 + element * Int(size)) }

  static var noInterrupt: UInt16      { 1 }       // VIRTQ_AVAIL_F_NO_INTERRUPT, in the available ring's flags
  static var noNotify: UInt16         { 1 }       // VIRTQ_USED_F_NO_NOTIFY, in the used ring's flags
}

/// A descriptor's flags (§2.7.5).
struct DescriptorFlags: Flags {
  let rawValue: UInt16
  static var next: Self               { .bit(0) } // VIRTQ_DESC_F_NEXT      `next` is valid
  static var write: Self              { .bit(1) } // VIRTQ_DESC_F_WRITE     for the device to write, else to read
  static var indirect: Self           { .bit(2) } // VIRTQ_DESC_F_INDIRECT  names a table of descriptors
}
