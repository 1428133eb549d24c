// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver

/// QEMU's plugin `Counting/count.c`, and what it counts while an emulated computer runs.
struct Counting {
  /// How finely it counts.
  enum Detail {
    case instructions
    /// Pages as well, which takes several times as long.
    case pages
  }

  private let file: String
  private let folder: TemporaryFolder
  private let subject: Subject
  private let detail: Detail

  init(_ subject: Subject, _ detail: Detail = .instructions) throws {
    self.subject = subject
    self.detail = detail
    folder = try TemporaryFolder()
    file = try folder.write([], to: "counters")
  }

  /// QEMU's arguments for it.
  var arguments: [String] {
    let borders =
      switch subject {
      case .bare: "kernel=0"
      // Linux' half of the addresses (Documentation/arch/x86/x86_64/mm.rst); QEMU, in the other, is the VMM.
      case .kvm: "kernel=0xffff800000000000"
      case .roost: "kernel=0x7f8000000000,vmm=\(Repository.image("VMM"))"
      }
    let pages = detail == .pages ? ",pages=on" : ""
    return ["-plugin", "\(Material.folder)/count.so,counters=\(file),\(borders)\(pages)"]
  }

  /// What was counted up to now.
  func read() throws -> Counts {
    guard let data = FileManager.default.contents(atPath: file), data.count == Counts.size else {
      throw ConsoleFailure(description: "The plugin's counters are not there")
    }
    return Counts(data)
  }
}

/// What was counted up to one time, or between two: sums of all processors.
struct Counts {
  /// The kernel's, the VMM's, of other components, and the guests' instructions.
  var kernel, vmm, others, guest: Double
  var exits, halts: Double
  /// Entries, exits and new CR3s; blocks and pages that were then needed for the first time again.
  var flushes, lookups, pages: Double
  /// Single exits, the last 65,536 of them.
  private(set) var single: [Exit] = []

  /// What one exit cost, in instructions until the next entry.
  struct Exit {
    /// Where the guest was.
    let address: UInt64
    let kernel: Int
    let vmm: Int
  }

  // The file's layout is that of `struct counters` in `count.c`.
  private static var coreCount: Int { 8 }
  private static var coreSize: Int { 72 }
  private static var exitCapacity: Int { 65_536 }
  private static var exitSize: Int { 32 }
  static var size: Int { coreCount * coreSize + 16 + exitCapacity * exitSize }

  /// Reads the plugin's file.
  init(_ data: Data) {
    func word(_ offset: Int) -> UInt64 { data[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    func sum(_ field: Int) -> Double {
      (0..<Self.coreCount).reduce(0) { $0 + Double(word($1 * Self.coreSize + field * 8)) }
    }
    (kernel, vmm, others, guest) = (sum(0), sum(1), sum(2), sum(3))
    (exits, halts) = (sum(4), sum(5))
    (flushes, lookups, pages) = (sum(6), sum(7), sum(8))
    let start = Self.coreCount * Self.coreSize + 16
    single = (0..<min(Int(word(start - 8)), Self.exitCapacity)).map {
      let place = start + $0 * Self.exitSize
      return Exit(address: word(place), kernel: Int(word(place + 8)), vmm: Int(word(place + 16)))
    }
  }

  /// What was added since `earlier`.
  func since(_ earlier: Counts) -> Counts {
    var difference = self
    difference.single = []
    for field: WritableKeyPath<Counts, Double> in [
      \.kernel, \.vmm, \.others, \.guest, \.exits, \.halts, \.flushes, \.lookups, \.pages,
    ] { difference[keyPath: field] -= earlier[keyPath: field] }
    return difference
  }

  /// All instructions.
  var instructions: Double { kernel + vmm + others + guest }
}
