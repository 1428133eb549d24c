// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Firmware

/// The boot image as two modules of a boot loader.
@Suite struct ImagePartTests {
  /// An image whose last file is its material, in both forms.
  private func twoParts() -> (whole: [UInt8], system: [UInt8], material: [UInt8]) {
    var plan = ImagePlan()
    plan.size = 0x8000
    plan.files[1].offset = 0x7000
    plan.changeHeader = {
      $0.systemSize = 0x6000
      $0.material = 77
    }
    var content = plan.written()
    content.replaceSubrange(0x6000..<0x6010, with: bytes(record: MaterialHeader(mark: 77)))
    content[0x7003] = 42
    return (content, Array(content[..<0x6000]), Array(content[0x6000...]))
  }

  private func line(_ system: [UInt8], _ material: [UInt8]) -> String? {
    do throws(BootImageError) {
      _ = try BootImage(system.span.bytes, material: material.span.bytes)
      return nil
    } catch {
      return String(decoding: (0..<error.line.count).map { error.line.bytes[$0] }, as: UTF8.self)
    }
  }

  @Test func `an image in two parts is read like one in one`() throws {
    let (whole, system, material) = twoParts()
    let one = try BootImage(whole.span.bytes)
    let two = try BootImage(system.span.bytes, material: material.span.bytes)

    for image in [0, 1] {
      let contents = image == 0 ? one.contents(ofFile: 1) : two.contents(ofFile: 1)
      #expect(contents.byteCount == 0x10)
      #expect(contents.load(3, as: UInt8.self) == 42)
    }
    #expect(two.systemSize == 0x6000)
    // Whoever has all in the first part needs no second one, whatever it is.
    #expect(line(whole, [1, 2, 3]) == nil)
  }

  @Test func `a system without its own material is refused`() {
    let (_, system, material) = twoParts()
    var other = material
    other[8] = 78
    #expect(line(system, []) == "boot image: the header comes without its material: load that too")
    #expect(line(system, other) == "boot image: the header belongs to other material: copy both again")
    #expect(line(system, [1]) == "boot image: the header belongs to other material: copy both again")
    #expect(line(system, material.dropLast()) == "boot image: the header says another size than was loaded")
    #expect(line(system.dropLast(), material) == "boot image: the header says another size than was loaded")
  }

  @Test func `a part of an impossible size is refused`() {
    func line(_ size: UInt64) -> String? {
      refusal { plan in plan.changeHeader = { $0.systemSize = size } }
    }
    #expect(line(0x6010) == "boot image: the header has a part that is not whole pages")
    #expect(line(0x100) == "boot image: file 0 begins a table that does not lie inside the image")
    #expect(line(0x9000) == "boot image: the header says another size than was loaded")
  }
}
