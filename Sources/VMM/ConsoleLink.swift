// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Machine

/// The VM's line to the console: two rings, and when it is worth telling the other side.
///
/// The console is woken for a full line, for much text, and for anything at all once the guest pauses or 10 ms have
/// passed: a guest that prints a character at a time does not wake it for each.
struct ConsoleLink {
  private static var urgentCount: Int { 512 }
  private static var patience: UInt64 { 10_000_000 }

  private let output: ByteRing
  private let input: ByteRing
  /// Bytes written since the console was last told.
  private var unsaid = 0
  /// When the console has to be told at the latest, in guest time; `.max` for never.
  private(set) var deadline = UInt64.max
  /// There may be something to read, or new room to write.
  private var hasNews = true

  init() {
    // SAFETY: the description maps the console's channel into every VMM.
    let base = unsafe Memory.pointer(
      AddressMap.channels + UInt64(VMMConfiguration.consoleSlot) * AddressMap.channelStride)
    unsafe output = ConsoleChannel.output(unsafeBase: base)
    unsafe input = ConsoleChannel.input(unsafeBase: base)
  }

  /// The console signalled: it typed something or made room.
  mutating func wasSignalled() { hasNews = true }

  /// A byte the guest printed. Room for a UART's burst is kept: with less, the guest's transmitter waits.
  mutating func send(_ byte: UInt8, now: UInt64, canTransmit: inout Bool) {
    output.write(byte)
    unsaid += 1
    if unsaid == 1 { deadline = now &+ Self.patience }
    if output.space < UART.transmitBurst {
      canTransmit = false
      flush()
    } else if byte == 0x0a || unsaid >= Self.urgentCount {
      flush()
    }
  }

  /// Tells the console of what was printed, if it was not.
  mutating func flush() {
    guard unsaid > 0 else { return }
    unsaid = 0
    deadline = .max
    Kernel.signal(channel: VMMConfiguration.consoleSlot)
  }

  /// Moves what was typed to the guest as far as its UART has room, and looks for room to print.
  mutating func exchange(with pc: inout PC, now: UInt64) {
    if now >= deadline { flush() }
    if !pc.canTransmit, output.space >= UART.transmitBurst { pc.canTransmit = true }
    guard hasNews else { return }
    var count = pc.receiveSpace
    while count > 0, let byte = input.read() {
      pc.receive(byte)
      count -= 1
    }
    // What did not fit is looked at again after each exit, until the ring is empty.
    hasNews = input.count > 0
  }
}
