// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// Reads and writes of file descriptors with the terms `ConsolePump` thinks in.
struct Descriptor {
  /// What came of an attempt to read or write.
  enum Outcome {
    case bytes(Int)
    /// Nothing now; try when `poll` says so.
    case notNow
    /// The other end is gone.
    case ended
  }

  let number: Int32

  /// Two sockets connected with each other, which no other program inherits; the first does not block.
  static func socketPair() throws -> (Descriptor, Descriptor) {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    // SAFETY: the array has the two places that the call fills in.
    guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Errno(rawValue: errno) }
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    return (Descriptor(number: ends[0]), Descriptor(number: ends[1]))
  }

  /// Reads what is there, into `buffer`.
  func read(into buffer: inout [UInt8]) -> Outcome {
    // SAFETY: the buffer is as big as said, and lives across the call.
    let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(number, $0.baseAddress, $0.count) }
    return count == 0 ? .ended : Self.outcome(count)
  }

  /// Writes as much as the descriptor takes now.
  func write(_ bytes: ArraySlice<UInt8>) -> Outcome {
    // SAFETY: the bytes are as many as said, and live across the call.
    Self.outcome(unsafe bytes.withUnsafeBytes { unsafe Glibc.write(number, $0.baseAddress, $0.count) })
  }

  /// Writes everything, waiting for a descriptor that is slow.
  /// - Returns: Whether the other end is still there.
  func writeAll(_ bytes: ArraySlice<UInt8>) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      switch write(rest) {
      case .bytes(let count): rest = rest.dropFirst(count)
      case .notNow: _ = Self.poll([(self, Int16(POLLOUT))])
      case .ended: return false
      }
    }
    return true
  }

  /// Waits until one of the descriptors has what it is asked for.
  /// - Returns: For each, whether it has.
  static func poll(_ requests: [(Descriptor, events: Int16)]) -> [Bool] {
    // A negative descriptor is passed over: so is one that nothing is asked of.
    var entries = requests.map { pollfd(fd: $0.events == 0 ? -1 : $0.0.number, events: $0.events, revents: 0) }
    let count = nfds_t(entries.count)
    // SAFETY: the array has `count` entries and lives across the call.
    guard unsafe Glibc.poll(&entries, count, -1) > 0 else { return requests.map { _ in false } }
    return entries.map { $0.revents != 0 }
  }

  func close() { Glibc.close(number) }

  private static func outcome(_ count: Int) -> Outcome {
    if count >= 0 { return .bytes(count) }
    return errno == EAGAIN || errno == EINTR ? .notNow : .ended
  }
}
