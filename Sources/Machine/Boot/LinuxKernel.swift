// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Why a file cannot be booted as a Linux kernel, or a guest's memory cannot take it.
package enum LinuxBootError: Error, Equatable {
  /// The file ends before its setup header, or before the code the header announces.
  case truncated
  /// No setup header: not a Linux kernel for x86.
  case notLinux
  /// The boot protocol is older than 2.06 of Linux 2.6.22.
  case oldProtocol
  /// A zImage, which must lie below 1 MiB.
  case notLoadedHigh
  /// The setup header contradicts itself: its end, an alignment or the load address cannot be.
  case badHeader
  /// The command line is longer than the kernel takes.
  case commandLineTooLong
  /// The kernel does not fit the guest's memory.
  case kernelTooBig
  /// The guest's memory is direct-mapped, and the kernel runs nowhere but where there is none.
  case kernelStaysPut
  /// The initial RAM disk does not fit between the kernel and the highest address it may have.
  case initrdTooBig
  /// The guest's memory is less than the first 2 MiB, or reaches the device window.
  case badMemorySize
  /// An unpacked kernel in a form of another version.
  case otherForm
  /// The head of an unpacked kernel contradicts itself or the setup header.
  case badUnpackedKernel
  /// A block of an unpacked kernel is none of LZ4's, or not as large as it should be.
  case badBlock
  /// A relocation of an unpacked kernel lies outside its image.
  case badRelocation
}

/// What a bzImage says of itself, all of it checked against the file (Linux, boot protocol, "The Real-Mode Kernel
/// Header").
package struct LinuxKernel: Equatable, Sendable {
  /// The boot protocol, major in the high byte.
  package let version: UInt16
  /// Where the protected-mode code begins in the file, and its size.
  package let codeOffset: UInt64
  package let codeSize: UInt64
  /// Where the setup header ends in the file.
  package let headerEnd: UInt64
  /// Where the code goes.
  package let loadAddress: UInt64
  /// Bytes of memory the kernel needs from there before it reads the memory map.
  package let runtimeSize: UInt64
  /// The most characters of a command line.
  package let commandLineLimit: UInt64
  /// The first address the initial RAM disk must not reach.
  package let initrdLimit: UInt64
  package let isRelocatable: Bool
  /// What the address of a relocatable kernel is a multiple of.
  package let alignment: UInt64
  /// Where in the file the kernel itself is, packed, and its size: claims; 0 bytes if the header does not say.
  package let payloadOffset: UInt64
  package let payloadSize: UInt64
  /// Whether this is a 64-bit kernel; its 32-bit entry point is used all the same.
  package let is64Bit: Bool

  /// Bytes from the start of a file that `init` looks at.
  package static var headerSize: Int { 0x290 }

  /// Checks the setup header at the start of a file of `fileSize` bytes; `header` is its first bytes, or all of it.
  ///
  /// A header whose code is elsewhere belongs to a file without an end: `.max`.
  package init(inspecting header: borrowing RawSpan, fileSize: UInt64) throws(LinuxBootError) {
    guard try header[.bootFlag] == 0xaa55, try header[.magic] == 0x5372_6448 else { throw .notLinux }
    version = try header[.version]
    guard version >= 0x206 else { throw .oldProtocol }
    guard LoadFlags(rawValue: try header[.loadFlags]).contains(.loadedHigh) else { throw .notLoadedHigh }

    let sectors = try header[.setupSectors]
    codeOffset = (sectors == 0 ? 5 : UInt64(sectors) + 1) * 512
    // The header counts in paragraphs, rounded up: the last one may be there in part.
    let paragraphs = UInt64(try header[.paragraphs])
    guard paragraphs > 0 else { throw .badHeader }
    guard fits(codeOffset, count: (paragraphs - 1) * 16 + 1, in: fileSize) else { throw .truncated }
    codeSize = min(paragraphs * 16, fileSize - codeOffset)

    // The jump over the header says where it ends; behind 0x290 `boot_params` has other things.
    headerEnd = 0x202 + UInt64(try header[.jumpDistance])
    guard headerEnd >= (version >= 0x20a ? 0x264 : 0x23c), headerEnd <= UInt64(Self.headerSize) else {
      throw .badHeader
    }
    guard headerEnd <= UInt64(header.byteCount) else { throw .truncated }

    isRelocatable = try header[.isRelocatable] != 0
    let extended = ExtendedLoadFlags(rawValue: try header[.extendedLoadFlags])
    is64Bit = version >= 0x20c && extended.contains(.kernel64)
    commandLineLimit = UInt64(try header[.commandLineLimit])
    initrdLimit = UInt64(try header[.initrdLastAddress]) + 1
    (loadAddress, runtimeSize) = try Self.place(header, version: version, codeSize: codeSize)
    let saysPayload = version >= 0x208
    payloadOffset = codeOffset + (saysPayload ? UInt64(try header[.payloadOffset]) : 0)
    payloadSize = saysPayload ? UInt64(try header[.payloadSize]) : 0
    alignment = UInt64(try header[.alignment])
    if isRelocatable, alignment.nonzeroBitCount != 1 || !loadAddress.isAligned(to: alignment) { throw .badHeader }
  }

  /// Where the code goes and what it needs: before 2.10 at 1 MiB and unsaid, then as the header says.
  ///
  /// A relocatable kernel may lie elsewhere, but none runs below its preferred address, so that one serves them all.
  private static func place(
    _ header: borrowing RawSpan, version: UInt16, codeSize: UInt64
  ) throws(LinuxBootError) -> (UInt64, UInt64) {
    guard version >= 0x20a else { return (MemoryMap.extendedStart, codeSize) }
    let address = try header[.preferredAddress]
    let size = max(UInt64(try header[.runtimeSize]), codeSize)
    guard address >= MemoryMap.extendedStart, fits(address, count: size, in: 1 << 32) else { throw .badHeader }
    return (address, size)
  }
}

extension RawSpan {
  fileprivate subscript<Value>(_ field: BootField<Value>) -> Value {
    get throws(LinuxBootError) {
      guard let value = load(field.offset, as: Value.self) else { throw .truncated }
      return value
    }
  }
}
