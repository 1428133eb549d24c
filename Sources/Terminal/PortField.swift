// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// The fields of `@n N`: what a switch counts of a port, as `name=number` for programs to read.
enum PortField {
  private static var plainCount: Int { 11 }
  private static var refusals: Int { 5 }
  private static var losses: Int { 5 }
  static var count: Int { plainCount + refusals + losses }

  /// Field `index` with a blank before it; `starts` is how often the switch was started.
  static func field(_ index: Int, of port: PortCounters, starts: UInt32) -> LogLine {
    if index >= plainCount + refusals {
      let loss = index - plainCount - refusals
      return " lost_\(LossReason(rawValue: loss).name)=\(port.lost[loss])"
    }
    if index >= plainCount {
      let refusal = index - plainCount
      return " refused_\(RefusalReason(rawValue: refusal).name)=\(port.refused[refusal])"
    }
    return plainField(index, of: port, starts: starts)
  }

  private static func plainField(_ index: Int, of port: PortCounters, starts: UInt32) -> LogLine {
    switch index {
    case 0: " starts=\(starts)"
    case 1: " up=\(port.state == PortState.up.rawValue ? 1 : 0)"
    case 2: " failed=\(port.state == PortState.failed.rawValue ? 1 : 0)"
    case 3: " sent=\(port.sent)"
    case 4: " sent_bytes=\(port.sentBytes)"
    case 5: " forwarded=\(port.forwarded)"
    case 6: " copies=\(port.copies)"
    case 7: " delivered=\(port.delivered)"
    case 8: " delivered_bytes=\(port.deliveredBytes)"
    case 9: " interrupts=\(port.interrupts)"
    default: " kicks=\(port.kicks)"
    }
  }
}

extension RefusalReason? {
  /// What programs find it by.
  fileprivate var name: StaticString {
    switch self {
    case .malformed: "malformed"
    case .spoofed: "spoofed"
    case .vlan: "vlan"
    case .noReceiver: "no_receiver"
    case .local: "local"
    case nil: "unknown"
    }
  }
}

extension LossReason? {
  /// What programs find it by.
  fileprivate var name: StaticString {
    switch self {
    case .full: "full"
    case .down: "down"
    case .tooLong: "too_long"
    case .filtered: "filtered"
    case .unsupported: "unsupported"
    case nil: "unknown"
    }
  }
}
