// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import Bits

/// What is done on a processor against what it gives away: one word, which a core looks at where it changes hands.
package struct Measures: Flags {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  // Each time that another VM's or server's turn comes:
  package static var forgetsBranches: Self   { .bit(0) }   // PRED_CMD.IBPB        nobody trains another's predictions
  package static var clearsBuffers: Self     { .bit(1) }   // VERW                 nobody samples what another left in buffers
  package static var flushesL1: Self         { .bit(2) }   // FLUSH_CMD.L1D_FLUSH  … in the first cache; before a guest only
  package static var clearsVectors: Self     { .bit(3) }   // XRSTOR               … in registers behind CR0.TS; in ring 3 only
  package static var clearsPointers: Self    { .bit(4) }   // FILD                 … in x87's pointers, which XRSTOR may leave
  // At each exit of a guest:
  package static var fillsReturns: Self      { .bit(5) }   // CALL                 no return goes where a guest wants it
  package static var forgetsAtExit: Self     { .bit(11) }  // PRED_CMD.IBPB        … where returns are guessed as branches are
  // Once on each core:
  package static var setsControl: Self       { .bit(6) }   // SPEC_CTRL            `SpeculationPlan.control`
  package static var setsAutomatic: Self     { .bit(7) }   // EFER.AIBRSE
  package static var stopsTransactions: Self { .bit(8) }   // TSX_CTRL
  package static var setsBackup: Self        { .bit(9) }   // DE_CFG[9]            Zenbleed: as microcode does
  package static var setsReduced: Self       { .bit(12) }  // BP_CFG[4]            SRSO on Zen 5: guests train no return of ours
  // At boot:
  package static var mapsSmall: Self         { .bit(10) }  // 4 KiB                no guest executes from larger pages

  /// All that a change of hands may be due.
  package static var atChange: Self { forgetsBranches | clearsBuffers | flushesL1 | clearsVectors }
  /// All that an exit may be due.
  package static var atExit: Self { fillsReturns | forgetsAtExit }
}

/// SPEC_CTRL, register 48h (Intel SDM volume 4, table 2-2; AMD APM volume 2, §3.2.9).
package struct SpeculationControl: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  package static var restricted: Self        { .bit(0) }   // IBRS
  package static var singleThread: Self      { .bit(1) }   // STIBP
  package static var keepsStoreOrder: Self   { .bit(2) }   // SSBD
  package static var noTargetsUser: Self     { .bit(3) }   // IPRED_DIS_U
  package static var noTargets: Self         { .bit(4) }   // IPRED_DIS_S
  package static var returnsOnlyUser: Self   { .bit(5) }   // RRSBA_DIS_U
  package static var returnsOnly: Self       { .bit(6) }   // RRSBA_DIS_S
  package static var noForwarding: Self      { .bit(7) }   // PSFD
  package static var noDataPrefetch: Self    { .bit(8) }   // DDPD_U
  package static var noHistory: Self         { .bit(10) }  // BHI_DIS_S
}
