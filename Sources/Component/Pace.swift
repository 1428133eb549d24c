// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// How a server that always has something to do leaves time to the VMs on its core, whom it goes before.
///
/// VMs that send each other all they can must not keep others from running: after `stint` of work comes a pause.
package struct Pace {
  /// Nanoseconds of work, and of the pause after it.
  private static var stint: UInt64 { 8_000_000 }
  private static var pause: UInt64 { 2_000_000 }

  private var busySince: UInt64

  package init(now: UInt64) { busySince = now }

  /// The server had nothing more to do.
  package mutating func rest(now: UInt64) { busySince = now }

  /// When a server that has more to do may go on.
  package mutating func resumption(now: UInt64) -> UInt64 {
    guard now &- busySince >= Self.stint else { return 1 }
    busySince = now &+ Self.pause
    return now &+ Self.pause
  }
}
