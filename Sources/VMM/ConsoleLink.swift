// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Machine

/// The VM's line to the console: two rings and the keys of the machine, and when it is worth telling the other side.
///
/// The console is woken for much text, and for anything at all once the guest pauses or 10 ms have passed: a guest that
/// prints a character at a time does not wake it for each, and a person sees no difference.
struct ConsoleLink {
  private static var urgentCount: Int { 512 }
  private static var patience: UInt64 { 10_000_000 }

  private let output: ByteRing
  private let input: ByteRing
  private let keys: MachineKeys
  /// What was pressed up to now, in the order of `MachineKey.allCases`.
  private var pressed: InlineArray<3, UInt32>
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
    let keys = unsafe ConsoleChannel.keys(unsafeBase: base)
    self.keys = keys
    // What was pressed in an earlier life is not this one's.
    pressed = [keys.count(.lineBreak), keys.count(.powerButton), keys.count(.nonMaskable)]
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
    } else if unsaid >= Self.urgentCount {
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
    if hasNews { receive(into: &pc) }
  }

  @inline(never)
  private mutating func receive(into pc: inout PC) {
    if wasPressed(.powerButton) { pc.pressPowerButton() }
    if wasPressed(.nonMaskable) { pc.raiseNMI() }
    var hasBreak = keys.count(.lineBreak) != pressed[0]
    while pc.receiveSpace > 0 {
      if hasBreak, Int32(bitPattern: input.consumed &- keys.breakPosition) >= 0 {
        hasBreak = !wasPressed(.lineBreak)
        pc.receiveBreak()
      } else if let byte = input.read() {
        pc.receive(byte)
      } else {
        break
      }
    }
    // What did not fit is looked at again after each exit, until the ring is empty.
    hasNews = input.count > 0 || hasBreak
  }

  /// Whether `key` was pressed since this was last asked, however often.
  private mutating func wasPressed(_ key: MachineKey) -> Bool {
    let index = key.rawValue / 64
    let count = keys.count(key)
    defer { pressed[index] = count }
    return count != pressed[index]
  }
}
