// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import Bits

/// A register of a 16550 by its offset, and the words it holds (National Semiconductor PC16550D, table II).
struct SerialRegister<Word: Flags>: Sendable where Word.RawValue == UInt8 {
  let offset: UInt16
}

extension SerialRegister<InterruptEnable> { static var interruptEnable: Self { Self(offset: 1) } }   // IER, read and write
extension SerialRegister<InterruptCause>  { static var interruptCause: Self  { Self(offset: 2) } }   // IIR, read only
extension SerialRegister<FIFOControl>     { static var fifoControl: Self     { Self(offset: 2) } }   // FCR, write only
extension SerialRegister<LineControl>     { static var lineControl: Self     { Self(offset: 3) } }   // LCR, read and write
extension SerialRegister<ModemControl>    { static var modemControl: Self    { Self(offset: 4) } }   // MCR, read and write
extension SerialRegister<LineStatus>      { static var lineStatus: Self      { Self(offset: 5) } }   // LSR, read only

/// Registers that hold numbers.
enum SerialOffset {
  static var data: UInt16              { 0 }         // RBR, THR
  static var divisorLow: UInt16        { 0 }         // DLL, while LCR has divisorAccess
  static var divisorHigh: UInt16       { 1 }         // DLM, likewise
  static var modemStatus: UInt16       { 6 }         // MSR; a read takes back its interrupt
  static var scratch: UInt16           { 7 }         // SCR: holds what was written, if there is a UART
}

struct InterruptEnable: Flags {                      // IER, §8.7
  let rawValue: UInt8
  static var received: Self            { .bit(0) }   // data, or a FIFO that has waited four character times
  static var transmitterEmpty: Self    { .bit(1) }
}

struct InterruptCause: Flags {                       // IIR, §8.6
  let rawValue: UInt8
  static var nothing: Self             { .bit(0) }   // set when no interrupt is pending
  static var hasFIFO: Self             { .bit(6) | .bit(7) }
}

struct FIFOControl: Flags {                          // FCR, §8.5
  let rawValue: UInt8
  static var enable: Self              { .bit(0) }
  static var clearReceiver: Self       { .bit(1) }
  static var clearTransmitter: Self    { .bit(2) }
  static var triggerAt8: Self          { .bit(7) }   // interrupt when 8 of the 16 bytes are filled
}

struct LineControl: Flags {                          // LCR, §8.1
  let rawValue: UInt8
  static var eightBits: Self           { .bit(0) | .bit(1) }   // no parity, one stop bit
  static var divisorAccess: Self       { .bit(7) }             // DLAB
}

struct ModemControl: Flags {                         // MCR, §8.8
  let rawValue: UInt8
  static var dataTerminalReady: Self   { .bit(0) }   // DTR
  static var requestToSend: Self       { .bit(1) }   // RTS
  static var interruptGate: Self       { .bit(3) }   // OUT2: a PC's UART reaches the interrupt controller through it
}

struct LineStatus: Flags {                           // LSR, §8.4
  let rawValue: UInt8
  static var dataReady: Self           { .bit(0) }
  static var overrun: Self             { .bit(1) }
  static var framingError: Self        { .bit(3) }
  static var lineBreak: Self           { .bit(4) }
  static var transmitterEmpty: Self    { .bit(5) }   // THRE: the transmit FIFO takes its 16 bytes
  static var absent: Self              { Self(rawValue: 0xff) }   // what a bus with no device answers
}
