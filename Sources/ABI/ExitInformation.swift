// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// How much of a guest's segments an exit is about, and with them of the registers that no usual exit is about.
package enum SegmentScope: Sendable {
  case none
  /// What makes an address of an instruction's operands, and says who executes it: CR3, the bases of es to gs, the
  /// attributes of cs and ss.
  case addressing
  /// All of it, and DR7, which else only a guest that steps has brought up to date: a person may want to read it.
  case all
}

/// Why the guest stopped running, in terms of neither vendor.
package enum ExitReason: UInt32, Sendable {
  /// Only a notification, or the end of a time slice: nothing to emulate.
  case none = 0
  /// IN, OUT, INS or OUTS: `port`, `access`.
  case portAccess = 1
  /// A touch of guest-physical memory that is not there: `address`, `access`.
  case memoryAccess = 2
  case cpuid = 3
  case readMSR = 4
  case writeMSR = 5
  case halt = 6
  /// VMMCALL or VMCALL.
  case hypercall = 7
  case setXCR = 8
  /// Triple fault or shutdown.
  case shutdown = 9
  /// The processor refused the guest's state; `detail` is the vendor's code.
  case invalidState = 10
  /// An exit nobody asked for; `detail` is the vendor's code.
  case unexpected = 11
  /// INVD or WBINVD, which would hold up every VM of the machine: to be skipped.
  case cacheControl = 12
  /// An instruction that a guest has no right to: another hypervisor's, or MONITOR and MWAIT.
  case forbidden = 13
  /// The guest ended an interrupt of `SharedController.noticedEnds`: `address` is its vector. The instruction is done.
  case endOfInterrupt = 14

  /// How many there are, for tables.
  package static var count: Int { 15 }

  /// What an exit for this brings up to date of `VirtualCPUState.segments`, at least.
  package func segments(_ access: Access) -> SegmentScope {
    switch self {
    case .memoryAccess, .setXCR: .addressing
    case .portAccess: access.contains(.string) ? .addressing : .none
    case .shutdown, .invalidState, .unexpected: .all
    default: .none
    }
  }

  /// The name that people read.
  package var name: StaticString {
    switch self {
    case .none: "none"
    case .portAccess: "port"
    case .memoryAccess: "memory"
    case .cpuid: "cpuid"
    case .readMSR: "rdmsr"
    case .writeMSR: "wrmsr"
    case .halt: "halt"
    case .hypercall: "hypercall"
    case .setXCR: "xsetbv"
    case .shutdown: "triple fault"
    case .invalidState: "invalid state"
    case .unexpected: "unexpected"
    case .cacheControl: "wbinvd"
    case .forbidden: "forbidden"
    case .endOfInterrupt: "EOI"
    }
  }
}

/// How a port or memory access was made.
package struct Access: Flags {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Written, not read (OUT, or a store).
  package static var write: Self { .bit(0) }
  /// INS or OUTS.
  package static var string: Self { .bit(1) }
  /// With a REP prefix.
  package static var repeated: Self { .bit(2) }
  /// An instruction fetch.
  package static var fetch: Self { .bit(3) }
}

/// What the last exit was and what the processor said of it.
package struct ExitInformation: BitwiseCopyable {
  /// An `ExitReason`.
  package var reason: UInt32 = 0
  /// An `Access`, for port and memory accesses.
  package var access: UInt32 = 0
  /// The port, for port accesses.
  package var port: UInt16 = 0
  /// Bytes of a port access: 1, 2 or 4.
  package var width: UInt8 = 0
  /// Bytes in `instruction`; 0 where the processor does not give them.
  package var instructionCount: UInt8 = 0
  /// Bits of the address size of a string port access (16, 32, 64); 0 if unknown.
  package var addressSize: UInt32 = 0
  /// The guest-physical address of a memory access.
  package var address: UInt64 = 0
  /// The address of the next instruction; 0 where the processor does not give it.
  package var nextRIP: UInt64 = 0
  /// The vendor's own code for the exit.
  package var detail: UInt64 = 0
  /// The vendor's two words of further information.
  package var qualification: UInt64 = 0
  package var qualification2: UInt64 = 0
  /// Bytes from the guest's RIP on, as far as the processor gave them.
  package var instruction: InlineArray<16, UInt8> = InlineArray(repeating: 0)

  package init() {}
}
