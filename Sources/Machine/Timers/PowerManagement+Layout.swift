// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

/// Where the power-management registers are; the FADT says the same to the guest.
extension PowerManagement {
  package static var eventBlockPort: UInt16      { 0x600 }   // PM1a_EVT_BLK: status, then enable
  package static var eventBlockLength: UInt8     { 4 }
  package static var controlBlockPort: UInt16    { 0x604 }   // PM1a_CNT_BLK
  package static var controlBlockLength: UInt8   { 2 }
  package static var timerPort: UInt16           { 0x608 }   // PM_TMR_BLK
  package static var timerLength: UInt8          { 4 }
  package static var timerFrequency: UInt64      { 3_579_545 }
  package static var timerBits: Int              { 24 }      // so TMR_VAL_EXT of the FADT is clear
  package static var systemControlPort: UInt16   { 0x92 }    // "port A": fast A20 and fast reset
  package static var resetPort: UInt16           { 0xcf9 }   // RESET_REG, 8 bits wide, in I/O space
  package static var resetValue: UInt8           { 0x06 }    // RESET_VALUE: a full reset
  package static var keyboardDataPort: UInt16    { 0x60 }
  package static var keyboardCommandPort: UInt16 { 0x64 }
  package static var smiCommandPort: UInt32      { 0 }       // SMI_CMD: none, so ACPI mode is always on
  package static var interrupt: UInt8            { 9 }       // SCI_INT; its pin is driven high while asserted,
  package static var interruptFlags: UInt16      { 0x000d }  // so the MADT needs an override: level, active high
  package static var softOffType: UInt8          { 5 }       // SLP_TYPa of \_S5 in the DSDT
}

/// PM1_STS and PM1_EN (ACPI 6.4, §4.8.3.1): an event's bit is the same in both.
package struct PowerEvents: Flags {
  package let rawValue: UInt16
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  package static var timerCarry: Self   { .bit(0) }    // TMR      bit 23 of the timer changed
  package static var globalLock: Self   { .bit(5) }    // GBL      the firmware released the global lock
  package static var powerButton: Self  { .bit(8) }    // PWRBTN
  package static var sleepButton: Self  { .bit(9) }    // SLPBTN
  package static var clockAlarm: Self   { .bit(10) }   // RTC
  package static var wake: Self         { .bit(15) }   // WAK      status only

  static var enables: Self  { timerCarry | globalLock | powerButton | sleepButton | clockAlarm }
  static var statuses: Self { enables | wake }
}

/// PM1_CNT (ACPI 6.4, §4.8.3.2).
struct PowerControl: Flags {
  let rawValue: UInt16
  init(rawValue: UInt16) { self.rawValue = rawValue }

  static var interruptEnable: Self  { .bit(0) }        // SCI_EN   ACPI mode
  static var busMasterReload: Self  { .bit(1) }        // BM_RLD
  static var sleepEnable: Self      { .bit(13) }       // SLP_EN   write-only
  static var sleepTypeShift: Int    { 10 }             // SLP_TYP  three bits
  static var sleepTypeMask: Self    { Self(rawValue: 7 << 10) }

  static var stored: Self { busMasterReload | sleepTypeMask }
}
