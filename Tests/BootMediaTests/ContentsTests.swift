// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Storage
import Testing

@testable import BootMedia

private func contents(name: String = "rig", kernel: [UInt8] = [1, 2], system: [UInt8] = [3], material: [UInt8] = [4])
  -> BootContents
{
  BootContents(name: name, kernel: kernel, system: system, material: material, serialPort: .unit(1), baud: 9600)
}

struct ContentsTests {
  @Test func `the marker depends on every byte and on nothing else`() {
    #expect(contents().marker == contents().marker)
    #expect(contents().marker.count == 16)
    #expect(contents().marker != contents(kernel: [1, 3]).marker)
    #expect(contents().marker != contents(name: "tig").marker)
    #expect(contents(kernel: [1], system: [2, 3]).marker != contents().marker)
  }

  @Test func `the script names the console's port and speed`() {
    let script = GRUBScript.second(contents())
    #expect(script.contains("serial --unit=1 --speed=9600\n"))
    #expect(script.contains("\"Roost: loading rig\""))
    #expect(GRUBScript.first(marker: "0123").contains("search.file /roost/0123 root\n"))
  }

  @Test func `a date is what the environment says, if a FAT can say it`() {
    #expect(BuildDate.seconds(nil) == 315_532_800)
    #expect(BuildDate.seconds("1700000000") == 1_700_000_000)
    for text in ["", "yesterday", "-1", "0", "99999999999999999999", "4294967296"] {
      #expect(BuildDate.seconds(text) == 315_532_800)
    }
    #expect(BuildDate.digits(315_532_800) == "1980010100000000")
    #expect(BuildDate.digits(1_700_000_000) == "2023111422132000")
  }
}

/// What is written on a stick is what Roost's own reader finds there.
struct StickTests {
  @Test func `a stick has a partition for the BIOS and one for everything else`() throws {
    let layout = try StickLayout(contents())
    var disk = [UInt8](repeating: 0, count: layout.size)
    for piece in layout.table.contents {
      disk.replaceSubrange(piece.offset..<piece.offset + piece.bytes.count, with: piece.bytes)
    }
    let geometry = try #require(DiskGeometry(sectorSize: .bytes512, sectorCount: UInt64(disk.count / 512)))
    var reader = PartitionReader(geometry)
    var step = reader.start()
    while case .read(let first, let count) = step {
      step = reader.feed(disk.span.bytes.extracting(Int(first) * 512..<Int(first + count) * 512))
    }

    #expect(reader.table.failure == nil)
    #expect(reader.table.note == nil)
    #expect(reader.table.count == 2)
    #expect(reader.table[0].first == 64 && reader.table[0].count == 1984)
    #expect(reader.table[1].first == 2048 && Int(reader.table[1].count) == layout.partitionSectors)
    #expect(layout.partitionSectors * 512 >= 64 << 20)
  }

  @Test func `there is room for a second image`() throws {
    let large = try StickLayout(contents(material: [UInt8](repeating: 0, count: 40 << 20)))
    #expect(large.partitionSectors * 512 >= 80 << 20)
  }
}
