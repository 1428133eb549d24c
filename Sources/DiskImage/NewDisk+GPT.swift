// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Storage

extension NewDisk {
  private static let linux = GUID(0x0fc6_3daf, 0x8483, 0x4772, 0x8e79, 0x3d69_d847_7de4)

  /// The partitions in a GPT.
  var tableOfGUIDs: TableOfGUIDs {
    let entries = partitions.enumerated().map { index, partition in
      let (first, count) = extent(index)
      return TableOfGUIDs.Entry(
        number: partition.number, type: Self.linux, identifier: partition.identifier ?? identifier(partition.number),
        name: partition.name, first: first, count: count)
    }
    return TableOfGUIDs(identifier: identifier(0), sectors: size / Self.sector, entries: entries)
  }

  /// An identifier made from the disk's signature, of a form that is free for such use (RFC 9562, §5.8).
  private func identifier(_ number: Int) -> GUID {
    GUID(signature, UInt16(truncatingIfNeeded: number), 0x8000, 0x8000, 0x526f_6f73_7401)
  }
}
