// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import HostTools

/// How an initial RAM disk is packed.
enum InitrdCompression: Equatable {
  case gzip
  /// A fifth smaller.
  case zstandard

  /// - Parameter configuration: That of the kernel which unpacks it; empty for one of which nothing is known.
  init(configuration: String) async {
    self = .gzip
    guard configuration.split(separator: "\n").contains("CONFIG_RD_ZSTD=y") else { return }
    do { try await ToolRunner.require(.zstandard) } catch { return }
    self = .zstandard
  }

  /// What packs it.
  var tool: Tool {
    switch self {
    case .gzip: .gzip
    case .zstandard: .zstandard
    }
  }

  /// Before the name of a file, beside which the packed one is put.
  var arguments: [String] {
    switch self {
    case .gzip: ["--best", "--no-name", "--force"]
    // What was unpacked last is kept in the guest's memory meanwhile: 4 MiB, not the usual 8.
    case .zstandard: ["-19", "--zstd=windowLog=22", "--no-check", "--force", "--quiet"]
    }
  }

  /// What the tool adds to the file's name.
  var suffix: String {
    switch self {
    case .gzip: "gz"
    case .zstandard: "zst"
    }
  }
}
