// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Where a kernel goes. An unpacked one that can be moved goes to another place at each boot, as its own decompressor
/// would have it (KASLR), so that who attacks it does not know where it is.
struct KernelPlacement: Equatable {
  let base: UInt64
  /// Whether the place was left to chance, which the kernel is told.
  let isRandom: Bool

  /// The end of the memory that a 32-bit kernel can lie in (`KERNEL_IMAGE_SIZE`).
  static var highestEnd: UInt64 { 512 * .MiB }

  /// The lowest place for a kernel: its own, or, where the guest has no memory there, the first where it can be.
  static func lowest(for kernel: GuestKernel, in memory: LowMemory) throws(LinuxBootError) -> UInt64 {
    let own = kernel.setup.loadAddress
    if memory.offset(of: own, count: kernel.runtimeSize) != nil { return own }
    guard memory.isDirectMapped else { throw .kernelTooBig }
    guard kernel.isMovable else { throw .kernelStaysPut }
    guard let place = max(own, memory.bodyStart).roundedUp(to: kernel.setup.alignment),
      memory.offset(of: place, count: kernel.runtimeSize) != nil
    else { throw .kernelTooBig }
    return place
  }

  /// - Parameters:
  ///   - start: The lowest place that it can have.
  ///   - limit: Where memory that it may lie in ends.
  init(
    of kernel: GuestKernel, from start: UInt64, below limit: UInt64, commandLine: borrowing RawSpan, randomness: UInt64
  ) {
    guard case .unpacked = kernel, kernel.isMovable, !Self.isFixed(by: commandLine) else {
      base = start
      isRandom = false
      return
    }
    base = Self.base(
      from: start, size: kernel.runtimeSize, alignment: kernel.setup.alignment, below: min(limit, Self.highestEnd),
      randomness: randomness)
    isRandom = true
  }

  /// One of the places that are a multiple of `alignment` from `start` up and leave `size` bytes below `limit`, all as
  /// likely as each other; `start` if not even that does.
  static func base(
    from start: UInt64, size: UInt64, alignment: UInt64, below limit: UInt64, randomness: UInt64
  ) -> UInt64 {
    guard fits(start, count: size, in: limit) else { return start }
    let places = (limit - start - size) / alignment + 1
    return start + randomness.multipliedFullWidth(by: places).high * alignment
  }

  /// Whether the command line keeps the kernel at its own place: it says so, or takes memory away from the memory map,
  /// which might be the memory that chance chooses.
  static func isFixed(by commandLine: borrowing RawSpan) -> Bool {
    var start = 0
    while start < commandLine.byteCount {
      var end = start
      while let byte = commandLine.load(end, as: UInt8.self), byte > 0x20 { end += 1 }
      let word = commandLine.extracting(start..<end)
      if word.byteCount == 7, word.begins(with: "nokaslr") { return true }
      if word.begins(with: "mem=") || word.begins(with: "memmap=") { return true }
      start = end + 1
    }
    return false
  }
}

extension RawSpan {
  fileprivate func begins(with text: StaticString) -> Bool {
    for index in 0..<text.utf8CodeUnitCount {
      // SAFETY: index is below the literal's length.
      guard load(index, as: UInt8.self) == (unsafe text.utf8Start[index]) else { return false }
    }
    return true
  }
}
