// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What of a guest's local APIC its processor can do by itself while the guest runs, where `SystemInformation` says so: it
/// delivers what is requested, by priority, and ends what is in service when the guest writes to the EOI register of
/// x2APIC mode. Sets of vectors are four words, vector 0 in bit 0 of the first.
package struct SharedController: BitwiseCopyable {
  /// Not zero: so it is to be on the next entry. Then the VMM offers no interrupt of the local APIC besides, the task
  /// priority is `VirtualCPUState.cr8`, and APIC accesses other than that write exit as ever.
  package var isShared: UInt32 = 0
  /// Set by the kernel: the guest has left, and the first two sets are as it left them. A VMM clears it before it enters.
  package var isCurrent: UInt32 = 0
  package var requests: InlineArray<4, UInt64> = InlineArray(repeating: 0)
  package var inService: InlineArray<4, UInt64> = InlineArray(repeating: 0)
  /// Those whose end is an exit (`ExitReason.endOfInterrupt`), since somebody waits for it.
  package var noticedEnds: InlineArray<4, UInt64> = InlineArray(repeating: 0)

  package init() {}
}
