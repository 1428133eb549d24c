// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// The life of a domain.
package enum DomainState: UInt32, Sendable {
  /// Never started.
  case idle = 0
  case running = 1
  /// It ended itself with `ExitIntent.powerOff`, or another domain stopped it.
  case stopped = 2
  /// It failed, and stays so until somebody restarts it.
  case crashed = 3
  /// Never to start: its core does not run, and it may have no other.
  case coreless = 4
}

/// What the kernel counts of a domain: one page of 4 KiB each, read-only to those that show it.
package struct DomainStatus: BitwiseCopyable {
  package var name = ShortName()
  /// A `DomainState`.
  package var state: UInt32 = 0
  /// Times it was started.
  package var starts: UInt32 = 0
  /// The core its thread runs on.
  package var core: UInt32 = 0
  package var reserved: UInt32 = 0
  /// The time-stamp counter when it last started.
  package var startedAt: UInt64 = 0
  /// Ticks its thread and its guest ran.
  package var ticks: UInt64 = 0
  /// Ticks of these its guest ran.
  package var guestTicks: UInt64 = 0
  /// Ticks the kernel spent between its guest's exits and what came next.
  package var kernelTicks: UInt64 = 0
  /// All exits of its guest, those for the kernel alone included.
  package var exits: UInt64 = 0
  /// Exits for a host interrupt or the end of a turn, which the kernel handles alone.
  package var interruptExits: UInt64 = 0
  /// Exits by `ExitReason`.
  package var exitsByReason: InlineArray<16, UInt64> = InlineArray(repeating: 0)
  /// Notifications raised for it, and system calls it made.
  package var notifications: UInt64 = 0
  package var systemCalls: UInt64 = 0
  /// Exits that were kicks: signals of its guest straight to a server.
  package var kicks: UInt64 = 0
  /// Interrupts that servers gave to its guest past its VMM.
  package var posted: UInt64 = 0
  /// The last exits, a ring; `traceCount` counts all that were ever written.
  package var traceCount: UInt64 = 0
  package var trace: InlineArray<32, ExitTrace> = InlineArray(repeating: ExitTrace())

  package init() {}
}

/// One exit in the trace.
package struct ExitTrace: BitwiseCopyable {
  package var tsc: UInt64 = 0
  package var rip: UInt64 = 0
  /// The port, guest-physical address, MSR or CPUID leaf.
  package var subject: UInt64 = 0
  /// An `ExitReason`.
  package var reason: UInt32 = 0
  /// An `Access`.
  package var access: UInt32 = 0
  package init() {}
}

/// One line of the system's log.
package struct LogRecord: BitwiseCopyable {
  /// The running number of the line, from 1; written last.
  package var sequence: UInt32 = 0
  /// A `LogLevel`.
  package var level: UInt8 = 0
  package var count: UInt8 = 0
  /// The domain that spoke; `kernelSource` for the kernel.
  package var source: UInt16 = 0
  package var text: InlineArray<112, UInt8> = InlineArray(repeating: 0)
  package init() {}

  package static var kernelSource: UInt16 { 0xffff }
}

/// The system's log as its reader finds it: `LogRing.header`, then `LogRing.capacity` records of `LogRecord`.
package enum LogRing {
  /// Bytes of the region.
  package static var size: UInt64 { 64 * .KiB }
  /// Where the records begin; before them is one `LogHeader`.
  package static var recordsOffset: Int { 128 }
  package static var capacity: Int { 510 }

  /// Where the record of line `sequence` is, from the region's start.
  package static func offset(ofLine sequence: UInt32) -> Int {
    recordsOffset + Int(sequence) % capacity * MemoryLayout<LogRecord>.stride
  }
}

package struct LogHeader: BitwiseCopyable {
  /// The number of the newest line.
  package var newest: UInt32 = 0
  /// The number of the first line that the log's domain is to show: those before it the kernel showed itself.
  package var firstUnshown: UInt32 = 0
  package init() {}
}
