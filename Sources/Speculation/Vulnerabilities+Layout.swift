// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import Bits

/// Ways in which a processor gives away, while it guesses, what it holds of others.
package struct Vulnerabilities: Flags {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static var bounds: Self           { .bit(0) }   // Spectre v1        CVE-2017-5753
  package static var branches: Self         { .bit(1) }   // Spectre v2        CVE-2017-5715, with PBRSB (CVE-2022-26373)
  package static var history: Self          { .bit(2) }   // BHI               CVE-2022-0001
  package static var returns: Self          { .bit(3) }   // Retbleed          CVE-2022-29900, -29901
  package static var returnStack: Self      { .bit(4) }   // SRSO              CVE-2023-20569
  package static var targets: Self          { .bit(5) }   // ITS               CVE-2024-28956
  package static var meltdown: Self         { .bit(6) }   // Meltdown          CVE-2017-5754
  package static var terminalFault: Self    { .bit(7) }   // L1TF              CVE-2018-3646
  package static var buffers: Self          { .bit(8) }   // MDS               CVE-2018-12126, -12127, -12130, CVE-2019-11091
  package static var aborts: Self           { .bit(9) }   // TAA               CVE-2019-11135
  package static var staleData: Self        { .bit(10) }  // MMIO stale data   CVE-2022-21123, -21125, -21166
  package static var registerFile: Self     { .bit(11) }  // RFDS              CVE-2023-28746
  package static var scheduling: Self       { .bit(12) }  // TSA               CVE-2024-36350, -36357
  package static var gather: Self           { .bit(13) }  // GDS               CVE-2022-40982
  package static var randomNumbers: Self    { .bit(14) }  // SRBDS             CVE-2020-0543
  package static var vectorRegisters: Self  { .bit(15) }  // Zenbleed          CVE-2023-20593
  package static var stores: Self           { .bit(16) }  // Store bypass      CVE-2018-3639
  package static var lazyState: Self        { .bit(17) }  // LazyFP            CVE-2018-3665
  package static var pageSizes: Self        { .bit(18) }  // ITLB multihit     CVE-2018-12207

  /// How many there are.
  package static var count: Int { 19 }

  /// What everybody calls that of bit `index`.
  static func name(_ index: Int) -> StaticString {
    switch index {
    case 0:  "Spectre v1"
    case 1:  "Spectre v2"
    case 2:  "BHI"
    case 3:  "Retbleed"
    case 4:  "SRSO"
    case 5:  "ITS"
    case 6:  "Meltdown"
    case 7:  "L1TF"
    case 8:  "MDS"
    case 9:  "TAA"
    case 10: "MMIO stale data"
    case 11: "RFDS"
    case 12: "TSA"
    case 13: "GDS"
    case 14: "SRBDS"
    case 15: "Zenbleed"
    case 16: "store bypass"
    case 17: "LazyFP"
    default: "ITLB multihit"
    }
  }
}
