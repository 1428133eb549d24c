// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The first bytes of an unpacked kernel: a 32-bit kernel as its own decompressor would leave it in memory.
///
/// `roost` makes the file from a bzImage when it builds a boot image. From `setupOffset` it has the bzImage's first
/// `LinuxKernel.headerSize` bytes, which end with the setup header; from `blocksOffset` the image in blocks
/// (`ImageBlockReader`), which begins at the kernel's preferred address; behind them a number for each word of the image
/// that holds an address: how far the word is behind the last one, the first from the image's start
/// (`RelocationReader`). All is little-endian.
package struct UnpackedKernelHead: BitwiseCopyable, Equatable, Sendable {
  /// "ROOSTKRN"; a bzImage has the code of its boot sector there.
  package static var magic: UInt64 { 0x4E52_4B54_534F_4F52 }
  package static var version: UInt32 { 2 }
  package static var setupOffset: UInt64 { 512 }
  package static var blocksOffset: UInt64 { 4096 }

  package var magic: UInt64 = UnpackedKernelHead.magic
  package var version: UInt32 = UnpackedKernelHead.version
  /// The 32-bit entry, from the image's start.
  package var entry: UInt32
  /// Bytes of the image.
  package var imageSize: UInt32
  /// Bytes of memory that the kernel takes from the image's start: those behind the image are zero.
  package var memorySize: UInt32
  package var relocationCount: UInt32
  /// Bytes of all their numbers.
  package var relocationsSize: UInt32
  /// Bytes of all the image's blocks.
  package var blocksSize: UInt32

  package init(
    entry: UInt32, imageSize: UInt32, memorySize: UInt32, relocationCount: UInt32, relocationsSize: UInt32,
    blocksSize: UInt32
  ) {
    self.entry = entry
    self.imageSize = imageSize
    self.memorySize = memorySize
    self.relocationCount = relocationCount
    self.relocationsSize = relocationsSize
    self.blocksSize = blocksSize
  }

  /// Where in the file the relocations are.
  package var relocationsOffset: UInt64 { Self.blocksOffset + UInt64(blocksSize) }
}

/// An unpacked kernel whose head was checked against its file; a block or a relocation is a claim until it is
/// used.
package struct UnpackedKernel: Equatable, Sendable {
  /// What the bzImage said of itself.
  package let setup: LinuxKernel
  package let head: UnpackedKernelHead

  /// `nil` if the file is none.
  init?(inspecting file: borrowing RawSpan) throws(LinuxBootError) {
    guard file.load(0, as: UInt64.self) == UnpackedKernelHead.magic else { return nil }
    guard let version = file.load(8, as: UInt32.self) else { throw .truncated }
    guard version == UnpackedKernelHead.version else { throw .otherForm }
    guard file.byteCount >= MemoryLayout<UnpackedKernelHead>.size,
      let header = file.slice(Int(UnpackedKernelHead.setupOffset), count: LinuxKernel.headerSize)
    else { throw .truncated }
    // SAFETY: the head lies inside the file, checked above, and takes any bits.
    head = unsafe file.unsafeLoadUnaligned(as: UnpackedKernelHead.self)
    setup = try LinuxKernel(inspecting: header, fileSize: .max)

    guard head.imageSize > 0, head.imageSize <= head.memorySize, head.entry < head.imageSize,
      setup.version >= 0x20a, !setup.is64Bit, setup.isRelocatable || head.relocationCount == 0
    else { throw .badUnpackedKernel }
    guard head.relocationCount <= head.relocationsSize,
      fits(head.relocationsOffset, count: UInt64(head.relocationsSize), in: UInt64(file.byteCount))
    else { throw .truncated }
  }

  /// Puts the kernel at `base`, and zeros behind it: what ran there before is still in the memory.
  func write(from file: borrowing RawSpan, at base: UInt64, to memory: GuestMemory) throws(LinuxBootError) {
    guard let blocks = file.slice(Int(UnpackedKernelHead.blocksOffset), count: Int(head.blocksSize)) else {
      throw .truncated
    }
    try ImageBlockReader.write(blocks, count: UInt64(head.imageSize), at: base, to: memory)
    let window: GuestWindow
    do throws(GuestMemoryError) {
      let tail = UInt64(head.memorySize - head.imageSize)
      try memory.fill(GuestAddress(base + UInt64(head.imageSize)), count: tail)
      window = try memory.window(GuestAddress(base), count: UInt64(head.imageSize))
    } catch { throw .kernelTooBig }
    if base != setup.loadAddress { try relocate(window, by: UInt32(base - setup.loadAddress), from: file) }
  }

  /// Adds `distance` to each word that holds an address.
  private func relocate(
    _ image: GuestWindow, by distance: UInt32, from file: borrowing RawSpan
  ) throws(LinuxBootError) {
    guard let table = file.slice(Int(head.relocationsOffset), count: Int(head.relocationsSize)) else {
      throw .truncated
    }
    var reader = RelocationReader()
    for _ in 0..<head.relocationCount {
      guard let claim = reader.next(in: table), fits(claim, count: 4, in: UInt64(image.count)) else {
        throw .badRelocation
      }
      image.write(image.read(Int(claim), as: UInt32.self) &+ distance, at: Int(claim))
    }
  }
}

/// Goes through the relocations of an unpacked kernel, which are in ascending order: of each only the distance from the
/// last is in the table, seven bits a byte, the lowest first; the highest bit says that another byte follows. Most take
/// one byte.
struct RelocationReader {
  private var cursor = 0
  private var place: UInt64 = 0

  /// Where the next word is, from the image's start; `nil` if the table ends, or holds more than 32 bits for one.
  mutating func next(in table: borrowing RawSpan) -> UInt64? {
    var distance: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 35, by: 7) {
      guard let byte = table.load(cursor, as: UInt8.self) else { return nil }
      cursor += 1
      distance |= UInt64(byte & 0x7f) << shift
      guard byte & 0x80 == 0 else { continue }
      guard distance <= UInt32.max else { return nil }
      place += distance
      return place
    }
    return nil
  }
}
