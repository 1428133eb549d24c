// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// Refused requests are recorded and signalled; a device can cause them without end, and not all of them can be kept from
// being recorded (those of interrupts, VT-d 4.1, §9.3: "fault processing disable" is for translation alone).
//
//   heard ──── more than `most` within `window` ────► muted
//     ▲                                                 │
//     └── the first look once `window` is over ◄────────┘
//
//   heard   a signal is answered by taking records until there is none: a unit only signals the first (§7.3), so one that
//           was left would keep all that follow from being heard
//   muted   no signals are sent; what is refused stays refused

/// Sees to it that refused requests are heard of, and that those who cause them have no more than a part of a core.
package struct FaultWatch: Sendable {
  /// Refused requests that are taken within `window`.
  package static var most: Int { 256 }
  /// In nanoseconds.
  package static var window: UInt64 { 1_000_000_000 }

  private var start: UInt64 = 0
  private var count = 0
  /// Whether no signals are sent for a while.
  package private(set) var isMuted = false

  package init() {}

  /// Takes what was refused; while muted nothing, until it is time to listen again.
  package mutating func take<H: RemappingHost & ~Copyable>(
    from iommu: AnyIOMMU, _ host: borrowing H, _ body: (DMAFault) -> Void
  ) {
    let now = host.now
    if now &- start >= Self.window {
      start = now
      count = 0
    }
    guard count < Self.most else { return }
    if isMuted {
      isMuted = false
      iommu.signalFaults(true, host)
    }
    while let fault = iommu.nextFault(host) {
      body(fault)
      count += 1
      guard count < Self.most else {
        isMuted = true
        return iommu.signalFaults(false, host)
      }
    }
  }
}
