// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What a controller has done since its driver started.
package struct Counters: Sendable, BitwiseCopyable {
  /// Commands given to the drive, repeated ones included.
  package var commands: UInt64 = 0
  /// Requests that moved data, and their bytes.
  package var reads: UInt64 = 0
  package var writes: UInt64 = 0
  package var bytesRead: UInt64 = 0
  package var bytesWritten: UInt64 = 0
  /// Requests that have ended.
  package var flushes: UInt64 = 0
  package var discards: UInt64 = 0
  /// Requests that ended without success.
  package var failures: UInt64 = 0
  package var interrupts: UInt64 = 0
  /// Commands that the drive said have failed.
  package var driveErrors: UInt64 = 0
  /// Errors of the link or the controller's bus.
  package var linkErrors: UInt64 = 0
  package var timeouts: UInt64 = 0
  /// Commands given again after an error.
  package var repeats: UInt64 = 0
  package var portResets: UInt64 = 0
  package var hostResets: UInt64 = 0
  /// The most commands the drive had at a time.
  package var deepestQueue: UInt64 = 0

  package init() {}
}
