// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Machine

struct KernelPlacementTests {
  /// What Debian's kernel for i386 asks for.
  private let start: UInt64 = 16 << 20
  private let size: UInt64 = 0x100_c000
  private let alignment: UInt64 = 16 << 20

  private func base(below limit: UInt64, _ randomness: UInt64) -> UInt64 {
    KernelPlacement.base(from: start, size: size, alignment: alignment, below: limit, randomness: randomness)
  }

  @Test(arguments: [34, 48, 64, 96, 128, 256, 512] as [UInt64])
  func `each place that has room is chosen, and no other`(mebibytes: UInt64) {
    let limit = mebibytes << 20
    let places = stride(from: start, through: limit - size, by: Int(alignment)).map { $0 }
    var random = SplitMix64(seed: mebibytes)
    var chosen: Set<UInt64> = [base(below: limit, .min), base(below: limit, .max)]
    for _ in 0..<2000 { chosen.insert(base(below: limit, random.next())) }

    #expect(chosen.sorted() == places)
    #expect(base(below: limit, .min) == places.first)
    #expect(base(below: limit, .max) == places.last)
  }

  @Test func `where there is room for one place, or for none, it is the kernel's own`() {
    for limit in [0, start, start + size - 1, start + size, start + size + alignment - 1] {
      #expect(base(below: limit, .max) == start)
    }
  }

  @Test(arguments: [32, 64, 512, 1024, 2048, 3072] as [UInt64])
  func `guests of any size have their kernel below 512 MiB`(mebibytes: UInt64) throws {
    let kernel = try UnpackedFile().inspect()
    let highest = KernelPlacement(
      of: kernel, from: start, below: mebibytes << 20, commandLine: [UInt8]().span.bytes, randomness: .max)

    #expect(highest.isRandom)
    #expect(highest.base == (min(mebibytes, 512) << 20) - (2 << 20))
  }

  @Test func `all places are as likely as each other`() {
    var counts: [UInt64: Int] = [:]
    for step in 0..<7000 as Range<UInt64> { counts[base(below: 128 << 20, step * (.max / 7000)), default: 0] += 1 }

    #expect(counts.count == 6)
    #expect(counts.values.allSatisfy { abs($0 - 7000 / 6) < 3 })
  }

  @Test func `a packed kernel places itself`() throws {
    let placement = KernelPlacement(
      of: .packed(try KernelFile().inspect()), from: start, below: 1 << 30, commandLine: [UInt8]().span.bytes,
      randomness: .max)
    #expect(!placement.isRandom)
    #expect(placement.base == start)
  }

  // MARK: - Direct-mapped memory

  private func lowest(_ kernel: GuestKernel, base: UInt64, size: UInt64 = 32 << 20) throws -> UInt64 {
    try KernelPlacement.lowest(for: kernel, in: LowMemory(size: size, base: base))
  }

  @Test func `a kernel goes to its own place where that is memory, else to the first multiple of its alignment`() throws
  {
    let file = try KernelFile().inspect()
    #expect(try lowest(.packed(file), base: 0) == start)
    #expect(try lowest(.packed(file), base: 4 << 20) == start)
    #expect(try lowest(.packed(file), base: (14 << 20)) == start)
    #expect(try lowest(.packed(file), base: (15 << 20) - 4096) == 18 << 20)
    #expect(try lowest(.packed(file), base: 128 << 20) == 130 << 20)
    #expect(try lowest(UnpackedFile().inspect(), base: 128 << 20) == 130 << 20)
  }

  @Test func `a kernel that has to lie where there is no memory is refused`() throws {
    var file = KernelFile()
    file[.isRelocatable] = 0
    let packed = GuestKernel.packed(try file.inspect())
    #expect(try lowest(packed, base: 4 << 20) == start)
    #expect(throws: LinuxBootError.kernelStaysPut) { try lowest(packed, base: 128 << 20) }
    var unpacked = UnpackedFile()
    unpacked.head.relocationCount = 0
    #expect(throws: LinuxBootError.kernelStaysPut) { try lowest(unpacked.inspect(), base: 128 << 20) }
    #expect(throws: LinuxBootError.kernelTooBig) {
      try lowest(UnpackedFile().inspect(), base: 128 << 20, size: 2 << 20)
    }
  }
}
