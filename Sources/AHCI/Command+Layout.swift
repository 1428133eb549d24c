// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

/// Commands of a drive (ACS-3, §7).
enum DriveCommand: UInt8 {
  case manageDataSets         = 0x06   // DATA SET MANAGEMENT
  case readDMA                = 0x25   // READ DMA EXT
  case readLog                = 0x2f   // READ LOG EXT
  case writeDMA               = 0x35   // WRITE DMA EXT
  case writeDMADurably        = 0x3d   // WRITE DMA FUA EXT
  case readQueued             = 0x60   // READ FPDMA QUEUED
  case writeQueued            = 0x61   // WRITE FPDMA QUEUED
  case flush                  = 0xea   // FLUSH CACHE EXT
  case identify               = 0xec   // IDENTIFY DEVICE
  case setFeatures            = 0xef   // SET FEATURES
}

/// Words of a command that say more than which one it is.
enum DriveArgument {
  static var enableWriteCache: UInt16  { 0x02 }       // SET FEATURES, features
  static var disableWriteCache: UInt16 { 0x82 }
  static var trim: UInt16              { 0x01 }       // DATA SET MANAGEMENT, features
  static var queuedErrorLog: UInt64    { 0x10 }       // READ LOG EXT, LBA 7:0
  static var logicalBlocks: UInt8      { 0x40 }       // device: the address is an LBA
  static var durably: UInt8            { 0x80 }       // device, of queued commands: FUA
}

/// First word of an entry of the command list (AHCI 1.3.1, §4.2.2).
struct CommandHeader: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  static var fiveWords: Self           { Self(rawValue: 5) }   // CFL    length of the command's FIS
  static var isWrite: Self             { .bit(6) }             // W      data go to the drive
  static func entries(_ count: Int) -> Self { Self(rawValue: UInt32(truncatingIfNeeded: count) << 16) }  // PRDTL
}

/// Kinds of frames on the link (Serial ATA 3.2, §10.3).
enum FrameKind {
  static var registersToDevice: UInt32 { 0x27 }
  static var isCommand: UInt32         { 0x8000 }     // C
  static var registersToHost: UInt8    { 0x34 }
}

/// Offsets in the memory of a port. Lists, frames and tables are where §4.2.1, §4.2.2 and §4.2.3 let them be.
extension PortMemory {
  static var size: Int                 { 0x22000 }
  static var commandList: Int          { 0x0000 }     // 32 entries
  static var headerSize: Int           { 32 }
  static var commandListSize: Int      { 1024 }
  static var received: Int             { 0x0400 }     // a multiple of 256
  static var receivedSize: Int         { 256 }
  static var receivedRegisters: Int    { received + 0x40 }
  static var identity: Int             { 0x0600 }
  static var errorLog: Int             { 0x0800 }
  static var ranges: Int               { 0x0a00 }     // of one TRIM
  static var blockSize: Int            { 512 }
  static var tables: Int               { 0x1000 }     // 33, one a page; the last is the driver's own
  static var tableSize: Int            { 4096 }
  static var ownTable: Int             { 32 }
  static var entries: Int              { 0x80 }       // in a table, behind the command
  static var entrySize: Int            { 16 }
  static var entryCount: Int           { 248 }        // what a page has room for
}
