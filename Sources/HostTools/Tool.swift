// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A program of the host that Roost starts, and the Debian package that brings it.
package struct Tool: Hashable, Sendable {
  package let name: String
  package let package: String

  package init(_ name: String, package: String) {
    self.name = name
    self.package = package
  }

  package static let aptCache = Tool("apt-cache", package: "apt")
  package static let aptGet = Tool("apt-get", package: "apt")
  package static let bzip2 = Tool("bzip2", package: "bzip2")
  package static let dpkgDeb = Tool("dpkg-deb", package: "dpkg")
  package static let gzip = Tool("gzip", package: "gzip")
  package static let lz4 = Tool("lz4", package: "lz4")
  package static let emulator = Tool("qemu-system-x86_64", package: "qemu-system-x86")
  package static let grubImage = Tool("grub-mkimage", package: "grub-common")
  package static let mcopy = Tool("mcopy", package: "mtools")
  package static let mformat = Tool("mformat", package: "mtools")
  package static let mmd = Tool("mmd", package: "mtools")
  package static let swift = Tool("swift", package: "swiftlang")
  package static let xorriso = Tool("xorriso", package: "xorriso")
  package static let xz = Tool("xz", package: "xz-utils")
  package static let zstandard = Tool("zstd", package: "zstd")
}

/// A tool did not do what was asked of it.
package enum ToolFailure: Error, Equatable, CustomStringConvertible {
  case missing(Tool)
  /// It ended with a failure; `saying` is what it wrote last.
  case failed(Tool, saying: String)
  /// It wrote more than that many bytes.
  case tooMuch(Tool, limit: Int)
  /// It could not be started, or its output not be read.
  case unusable(Tool, because: String)

  package var description: String {
    switch self {
    case .missing(let tool):
      "\(tool.name) is not installed; install it with 'apt-get install \(tool.package)', or everything with 'make prerequisites'"
    case .failed(let tool, let saying):
      saying.isEmpty ? "\(tool.name) failed" : "\(tool.name) failed:\n\(saying)"
    case .tooMuch(let tool, let limit):
      "\(tool.name) wrote more than the \(limit) bytes that there should be"
    case .unusable(let tool, let because):
      "\(tool.name) cannot be used: \(because)"
    }
  }
}
