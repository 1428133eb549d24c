// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// Reads files of the host.
enum HostFile {
  /// Why a file could not be read, in the system's words.
  struct Failure: Error {
    var reason: String
  }

  /// More than any description has; what has no end is not read for ever.
  static let mostOfDescription = 16 << 20

  /// Reads a description: a file, or what a pipe or a terminal gives until its end; `-` is standard input.
  static func readDescription(_ path: String) throws(Failure) -> [UInt8] {
    if path == "-" { return try read(.standardInput, limit: mostOfDescription) }
    return try read(path, limit: mostOfDescription)
  }

  /// Reads a file that a description names. It is read more than once, which nothing but a file bears.
  static func read(_ path: String) throws(Failure) -> [UInt8] {
    switch (try? Stat(FilePath(path)))?.type {
    case nil, .regular, .directory: return try read(path, limit: .max)
    default: throw Failure(reason: "it is no file, but a pipe or a device")
    }
  }

  private static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
    let file: FileDescriptor
    do { file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec) } catch {
      throw Failure(reason: reason(error))
    }
    defer { try? file.close() }
    return try read(file, limit: limit)
  }

  private static func read(_ file: FileDescriptor, limit: Int) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    do {
      while bytes.count <= limit {
        // SAFETY: the buffer lives across the call, which writes no more than fits.
        let count = try unsafe buffer.withUnsafeMutableBytes { unsafe try file.read(into: $0) }
        guard count > 0 else { return bytes }
        bytes += buffer.prefix(count)
      }
    } catch {
      throw Failure(reason: reason(error))
    }
    throw Failure(reason: "it has more than \(limit >> 20) MiB")
  }

  private static func reason(_ error: any Error) -> String {
    switch error as? Errno {
    case .noSuchFileOrDirectory: "there is no such file"
    case .isDirectory: "it is a folder"
    case .permissionDenied: "no permission"
    case let error?: "\(error)"
    case nil: "an error of the disk"
    }
  }
}
