// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// The fields of `@d N`: what a disk's server counts of a virtual disk, as `name=number` for programs to read.
enum DiskField {
  static var count: Int { 30 }

  /// Field `index` with a blank before it; `starts` is how often the server was started.
  static func field(_ index: Int, of client: DiskClientCounters, _ drive: DriveCounters, starts: UInt32) -> LogLine {
    switch index {
    case 0: " starts=\(starts)"
    case 1: " up=\(client.state == DiskClientState.up.rawValue ? 1 : 0)"
    case 2: " failed=\(client.state == DiskClientState.failed.rawValue ? 1 : 0)"
    case 3: " partition=\(client.partition)"
    case 4: " read_only=\(client.isReadOnly)"
    case 5: " first=\(client.firstSector)"
    case 6: " sectors=\(client.sectorCount)"
    case 7: " reads=\(client.reads)"
    case 8: " read_bytes=\(client.bytesRead)"
    case 9: " writes=\(client.writes)"
    case 10: " written_bytes=\(client.bytesWritten)"
    case 11: " flushes=\(client.flushes)"
    case 12: " clears=\(client.clears)"
    case 13: " refused=\(client.refused)"
    case 14: " errors=\(client.errors)"
    case 15: " resumed=\(client.resumed)"
    case 16: " depth=\(client.depth)"
    case 17: " deepest=\(client.deepest)"
    case 18: " interrupts=\(client.interrupts)"
    case 19: " kicks=\(client.kicks)"
    case 20: " latency_us=\(client.timed == 0 ? 0 : client.latencySum / client.timed / 1000)"
    case 21: " latency_max_us=\(client.latencyMaximum / 1000)"
    default: driveField(index, drive)
    }
  }

  private static func driveField(_ index: Int, _ drive: DriveCounters) -> LogLine {
    switch index {
    case 22: " commands=\(drive.commands)"
    case 23: " drive_interrupts=\(drive.interrupts)"
    case 24: " drive_errors=\(drive.driveErrors)"
    case 25: " link_errors=\(drive.linkErrors)"
    case 26: " timeouts=\(drive.timeouts)"
    case 27: " repeats=\(drive.repeats)"
    case 28: " resets=\(drive.portResets &+ drive.controllerResets)"
    default: " drive_deepest=\(drive.deepestQueue)"
    }
  }
}
