// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import HostTools
import SystemPackage

/// Only one process at a time fills a cache: two that fetch the same package would overwrite each other's files.
struct CacheLock {
  private static var patience: Duration { .milliseconds(200) }

  /// Does `body` while no other process, and no other task of this one, is at the cache in `folder`. Who ends in any way
  /// gives it up.
  static func held<Result>(
    _ folder: FilePath, _ progress: Progress, _ body: () async throws -> Result
  ) async throws -> Result {
    try Files.createDirectory(folder)
    // The folder itself is locked (flock(2)), for as long as somebody has it open.
    let file = try FileDescriptor.open(folder, .readOnly, options: .closeOnExec)
    defer { try? file.close() }
    var hasSaid = false
    while flock(file.rawValue, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else { throw Errno(rawValue: errno) }
      if !hasSaid { progress.step("waiting", "for another roost that fills \(folder)") }
      hasSaid = true
      try await Task.sleep(for: patience)
    }
    return try await body()
  }
}
