// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// How a partition keeps its nature when its table changes from MBR to GPT or back. The names that a made-up table
// needs are made from the partition's own, so that they are the same after each start.

extension PartitionIdentifier {
  /// Whether it is that of a GPT.
  var isGUID: Bool { if case .guid = self { true } else { false } }

  /// The signature of a made-up MBR: the real disk's for its first partition, whose PARTUUID is then its own, and one of
  /// its own for each other; never zero, which would be none.
  var diskSignature: UInt32 {
    if case .mbr(let signature, 1) = self, signature != 0 { return signature }
    var checksum = CRC32()
    let guid = partitionGUID
    for index in 0..<16 { checksum.add(guid.bytes[index]) }
    return max(checksum.value, 1)
  }

  /// The partition's name in a made-up GPT: its own, or one of a form that is free for such use (RFC 9562, §5.8).
  var partitionGUID: GUID {
    switch self {
    case .guid(let guid): guid
    case .mbr(let signature, let number):
      GUID(signature, UInt16(truncatingIfNeeded: number), 0x8000, 0x8000, 0x526f_6f73_7400)
    }
  }

  /// The disk's name in a made-up GPT: the partition's, but for one bit.
  var diskGUID: GUID {
    var guid = partitionGUID
    guid.bytes[15] ^= 1
    return guid
  }
}

extension PartitionType {
  private static var linux: GUID { GUID(0x0fc6_3daf, 0x8483, 0x4772, 0x8e79, 0x3d69_d847_7de4) }
  private static var linuxSwap: GUID { GUID(0x0657_fd6d, 0xa4ab, 0x43c4, 0x84e5, 0x0933_c84b_4f4f) }
  private static var linuxLVM: GUID { GUID(0xe6d6_d379, 0xf507, 0x44c2, 0xa23c, 0x238f_2a3d_f928) }
  private static var linuxRAID: GUID { GUID(0xa19d_880f, 0x05fc, 0x4d3b, 0xa006, 0x743f_0f84_911e) }
  private static var systemPartition: GUID { GUID(0xc12a_7328, 0xf81f, 0x11d2, 0xba4b, 0x00a0_c93e_c93b) }
  private static var basicData: GUID { GUID(0xebd0_a0a2, 0xb9e5, 0x4433, 0x87c0, 0x68b6_b726_99c7) }

  /// The type in a made-up MBR; `Linux` for what has no other.
  var mbrByte: UInt8 {
    switch self {
    // Types that speak of the table itself would make the guest look for one in the partition.
    case .mbr(let byte) where byte == 0 || byte == MasterBootRecord.protectiveType || Self.isExtended(byte): 0x83
    case .mbr(let byte): byte
    case .gpt(Self.linuxSwap): 0x82
    case .gpt(Self.linuxLVM): 0x8e
    case .gpt(Self.linuxRAID): 0xfd
    case .gpt(Self.systemPartition): 0xef
    case .gpt(Self.basicData): 0x07
    case .gpt: 0x83
    }
  }

  /// The type in a made-up GPT; `Linux` for what has no other.
  var guid: GUID {
    switch self {
    case .gpt(let guid): guid
    case .mbr(0x82): Self.linuxSwap
    case .mbr(0x8e): Self.linuxLVM
    case .mbr(0xfd): Self.linuxRAID
    case .mbr(0xef): Self.systemPartition
    case .mbr(0x06), .mbr(0x07), .mbr(0x0b), .mbr(0x0c), .mbr(0x0e): Self.basicData
    case .mbr: Self.linux
    }
  }
}
