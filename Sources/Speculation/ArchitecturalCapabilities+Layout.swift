// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import Bits

/// What an Intel processor says of itself in IA32_ARCH_CAPABILITIES, register 10Ah (Intel SDM volume 4, table 2-2).
package struct ArchitecturalCapabilities: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  package static var keepsPrivilege: Self       { .bit(0) }   // RDCL_NO                no Meltdown, no L1TF
  package static var enhancedControl: Self      { .bit(1) }   // IBRS_ALL               IBRS once is enough
  package static var returnsByBranches: Self    { .bit(2) }   // RSBA                   an empty return stack asks the branch predictor
  package static var needsNoL1Flush: Self       { .bit(3) }   // SKIP_L1DFL_VMENTRY
  package static var keepsStoreOrder: Self      { .bit(4) }   // SSB_NO
  package static var keepsBuffers: Self         { .bit(5) }   // MDS_NO
  package static var changesPageSizes: Self     { .bit(6) }   // PSCHANGE_MC_NO         no ITLB multihit
  package static var transactionControl: Self   { .bit(7) }   // TSX_CTRL
  package static var keepsAborted: Self         { .bit(8) }   // TAA_NO
  package static var keepsSharedBuffers: Self   { .bit(13) }  // SBDR_SSDP_NO
  package static var keepsFillBuffers: Self     { .bit(14) }  // FBSDP_NO
  package static var keepsPrimaryBuffers: Self  { .bit(15) }  // PSDP_NO
  package static var clearsFillBuffers: Self    { .bit(17) }  // FB_CLEAR               VERW empties fill buffers
  package static var returnsRestricted: Self    { .bit(19) }  // RRSBA                  as RSBA, within what IBRS allows
  package static var keepsHistory: Self         { .bit(20) }  // BHI_NO
  package static var keepsReturnsAfterExit: Self { .bit(24) } // PBRSB_NO
  package static var gatherControl: Self        { .bit(25) }  // GDS_CTRL               the microcode that mends it is loaded
  package static var keepsGathered: Self        { .bit(26) }  // GDS_NO
  package static var keepsRegisterFile: Self    { .bit(27) }  // RFDS_NO
  package static var clearsRegisterFile: Self   { .bit(28) }  // RFDS_CLEAR             VERW empties it
  package static var selectsTargets: Self       { .bit(62) }  // ITS_NO

  /// What a guest may read as the processor has it: what it is not affected by, and what VERW does. The others say that
  /// there is a register, or a bit of SPEC_CTRL, that guests have not.
  static var shown: Self {
    .keepsPrivilege | .returnsByBranches | .needsNoL1Flush | .keepsStoreOrder | .keepsBuffers | .changesPageSizes
      | .keepsAborted | .keepsStaleData | .clearsFillBuffers | .returnsRestricted | .keepsHistory
      | .keepsReturnsAfterExit | .keepsGathered | .keepsRegisterFile | .clearsRegisterFile | .selectsTargets
  }

  /// All that MMIO stale data could come from is kept.
  package static var keepsStaleData: Self { keepsSharedBuffers | keepsFillBuffers | keepsPrimaryBuffers }
}
