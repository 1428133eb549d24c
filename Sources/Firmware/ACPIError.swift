// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// The four characters that name an ACPI table.
package struct TableSignature: Equatable, Sendable, BitwiseCopyable {
  /// The characters, the first in the lowest byte.
  package let word: UInt32

  package init(word: UInt32) { self.word = word }

  /// The root pointer, whose signature is longer; for errors.
  package static var root: Self { Self(word: 0x5044_5352) }  // "RSDP"
  package static var rsdt: Self { Self(word: 0x5444_5352) }  // "RSDT"
  package static var xsdt: Self { Self(word: 0x5444_5358) }  // "XSDT"
  package static var madt: Self { Self(word: 0x4349_5041) }  // "APIC"
  package static var mcfg: Self { Self(word: 0x4746_434d) }  // "MCFG"
  package static var hpet: Self { Self(word: 0x5445_5048) }  // "HPET"
  package static var fadt: Self { Self(word: 0x5043_4146) }  // "FACP"
  package static var dmar: Self { Self(word: 0x5241_4d44) }  // "DMAR"
  package static var ivrs: Self { Self(word: 0x5352_5649) }  // "IVRS"
  package static var spcr: Self { Self(word: 0x5243_5053) }  // "SPCR"

  /// The name that people read.
  package var name: ShortName {
    var name = ShortName()
    for index in 0..<4 {
      let byte = UInt8(truncatingIfNeeded: word >> UInt32(8 * index))
      name.bytes[index] = (0x20...0x7e).contains(byte) ? byte : 0x3f
    }
    return name
  }
}

/// Which ACPI table was refused, and why.
package struct ACPIError: Error, Equatable, Sendable {
  package enum Reason: Equatable, Sendable {
    case missing
    case unreadable
    case badSignature
    case badLength
    case badChecksum
    case badEntry
    case tooManyEntries
    case badAddress

    /// The end of a sentence that begins with the table's name.
    package var sentence: StaticString {
      switch self {
      case .missing: "is missing"
      case .unreadable: "lies where no memory can be read"
      case .badSignature: "does not begin with its signature"
      case .badLength: "has an impossible length"
      case .badChecksum: "has a wrong checksum"
      case .badEntry: "holds an entry of an impossible length or content"
      case .tooManyEntries: "holds more entries than this program has room for"
      case .badAddress: "names an impossible address"
      }
    }
  }

  package let table: TableSignature
  package let reason: Reason

  init(_ table: TableSignature, _ reason: Reason) {
    self.table = table
    self.reason = reason
  }

  /// The sentence that people read.
  package var line: LogLine { "ACPI table \(table.name) \(reason.sentence)" }
}
