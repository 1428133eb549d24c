// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import HostTools

/// How the kernel in a bzImage is packed (Linux, arch/x86/boot/compressed/Makefile).
enum KernelCompression: CaseIterable, Sendable {
  case gzip, bzip2, lzma, xz, lz4, zstandard

  /// What a payload's first bytes say.
  init?(of payload: ArraySlice<UInt8>) {
    guard let known = Self.allCases.first(where: { payload.starts(with: $0.magic) }) else { return nil }
    self = known
  }

  private var magic: [UInt8] {
    switch self {
    case .gzip: [0x1f, 0x8b]
    case .bzip2: Array("BZh".utf8)
    case .lzma: [0x5d, 0, 0]
    case .xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]
    case .lz4: [0x02, 0x21, 0x4c, 0x18]  // the legacy frame
    case .zstandard: [0x28, 0xb5, 0x2f, 0xfd]
    }
  }

  /// What unpacks it.
  var tool: Tool {
    switch self {
    case .gzip: .gzip
    case .bzip2: .bzip2
    case .lzma, .xz: .xz
    case .lz4: .lz4
    case .zstandard: .zstandard
    }
  }

  /// From standard input to standard output.
  var arguments: [String] { self == .lzma ? ["--format=lzma", "-dc"] : ["-dc"] }

  /// Bytes of the payload that are no part of the packed stream: the build adds the unpacked size behind it, but to
  /// gzip, whose streams end with it anyway.
  var sizeOfTail: Int { self == .gzip ? 0 : 4 }
}
