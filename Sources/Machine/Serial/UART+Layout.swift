// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

// The registers of National's PC16550D, data sheet of 1995, table II and §8.

extension UART {
  struct InterruptEnable: Flags {                                 // IER §8.5
    let rawValue: UInt8
    static var receivedData: Self        { .bit(0) }              // ERBFI  bytes, or the time-out, in the receiver
    static var transmitterEmpty: Self    { .bit(1) }              // ETBEI  the transmitter can take more
    static var lineStatus: Self          { .bit(2) }              // ELSI   an error
    static var modemStatus: Self         { .bit(3) }              // EDSSI  a modem line changed
    static var writable: Self            { Self(rawValue: 0x0f) }
  }

  enum InterruptIdentification {                                  // IIR §8.4, table IV
    static var modemStatus: UInt8        { 0x00 }                 // priority 4
    static var none: UInt8               { 0x01 }
    static var transmitterEmpty: UInt8   { 0x02 }                 // priority 3, cleared by being read
    static var receivedData: UInt8       { 0x04 }                 // priority 2, trigger level reached
    static var lineStatus: UInt8         { 0x06 }                 // priority 1
    static var characterTimeout: UInt8   { 0x0c }                 // priority 2, some bytes, below the trigger level
    static var fifosEnabled: UInt8       { 0xc0 }
  }

  struct FIFOControl: Flags {                                     // FCR §8.3
    let rawValue: UInt8
    static var enable: Self              { .bit(0) }
    static var clearReceiver: Self       { .bit(1) }              // not kept
    static var clearTransmitter: Self    { .bit(2) }              // not kept
    static var kept: Self                { Self(rawValue: 0xc9) } // enable, DMA mode, trigger level
    var triggerLevel: Int                { (rawValue >> 6 == 0) ? 1 : (rawValue >> 6 == 3) ? 14 : Int(rawValue >> 6) * 4 }
  }

  struct LineControl: Flags {                                     // LCR §8.1
    let rawValue: UInt8
    static var divisorLatchAccess: Self  { .bit(7) }              // DLAB   registers 0 and 1 are the divisor
  }

  struct ModemControl: Flags {                                    // MCR §8.6
    let rawValue: UInt8
    static var dataTerminalReady: Self   { .bit(0) }              // DTR
    static var requestToSend: Self       { .bit(1) }              // RTS
    static var out1: Self                { .bit(2) }
    static var out2: Self                { .bit(3) }              // a PC's gate between the UART and its IRQ
    static var loopback: Self            { .bit(4) }
    static var writable: Self            { Self(rawValue: 0x1f) }
  }

  struct LineStatus: Flags {                                      // LSR §8.2
    let rawValue: UInt8
    static var dataReady: Self           { .bit(0) }              // DR
    static var overrun: Self             { .bit(1) }              // OE     cleared by being read
    static var lineBreak: Self           { .bit(4) }              // BI     of the byte that is next; likewise
    static var holdingEmpty: Self        { .bit(5) }              // THRE
    static var transmitterEmpty: Self    { .bit(6) }              // TEMT
    static var errorInFIFO: Self         { .bit(7) }
  }

  struct ModemStatus: Flags {                                     // MSR §8.7
    let rawValue: UInt8
    static var clearToSendChanged: Self  { .bit(0) }              // DCTS   these four are cleared by being read
    static var dataSetReadyChanged: Self { .bit(1) }              // DDSR
    static var ringEnded: Self           { .bit(2) }              // TERI   only the trailing edge counts
    static var carrierChanged: Self      { .bit(3) }              // DDCD
    static var clearToSend: Self         { .bit(4) }              // CTS
    static var dataSetReady: Self        { .bit(5) }              // DSR
    static var ring: Self                { .bit(6) }              // RI
    static var carrier: Self             { .bit(7) }              // DCD
    static var changes: Self             { Self(rawValue: 0x0f) }
  }
}
