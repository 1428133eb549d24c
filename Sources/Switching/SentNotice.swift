// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// When a sender's driver hears that its frames are gone.
///
/// Nobody waits for that but a driver whose queue fills up, or a program whose unsent data does. An interrupt for each
/// frame would cost the sender as much as sending it, just when the receiver is to run. So the interrupt waits for
/// more frames to be gone; drivers look by themselves whenever they send, and Linux whenever it receives.
struct SentNotice {
  /// Nanoseconds that a driver is told late, at most: as long as a tick of Linux.
  static var patience: UInt64 { 4_000_000 }
  /// Frames that it is told of together, at most.
  private static var batch: Int { 16 }

  private let limit: Int
  private var count: Int
  private var since: UInt64 = 0

  /// For a queue of that size, which frames of up to twenty descriptors are not to fill before its driver is told. The
  /// first time is now: an earlier switch may have stopped just short of it.
  init(queueSize: Int) {
    limit = max(1, min(Self.batch, queueSize / 32))
    count = limit
  }

  /// When the driver is to be told; `nil` if of nothing.
  var deadline: UInt64? { count == 0 ? nil : since &+ Self.patience }

  /// A frame has gone.
  mutating func note(at now: UInt64) {
    if count == 0 { since = now }
    count += 1
  }

  /// Whether it is time to tell the driver, of all that have gone.
  mutating func takeDue(at now: UInt64) -> Bool {
    guard count >= limit || count > 0 && now &- since >= Self.patience else { return false }
    count = 0
    return true
  }
}
