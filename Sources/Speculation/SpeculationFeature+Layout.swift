// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

/// A word of CPUID that says something of speculation.
package enum SpeculationWord: Int, Sendable {
  case leaf1ECX, leaf7EBX, leaf7EDX, leaf7Sub2EDX, extensionsEBX, extended2EAX, extended2ECX

  /// How many there are.
  static var count: Int { 7 }
}

/// A bit of CPUID that a plan looks at (Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E).
package struct SpeculationFeature: Sendable {
  let word: SpeculationWord
  let bit: UInt32

  package init(_ word: SpeculationWord, _ bit: UInt32) {
    self.word = word
    self.bit = bit
  }
}

extension SpeculationFeature {
  package static var vectors: Self            { Self(.leaf1ECX, 28) }       // AVX
  package static var random: Self             { Self(.leaf1ECX, 30) }       // RDRAND
  package static var transactions: Self       { Self(.leaf7EBX, 11) }       // RTM
  package static var randomControl: Self      { Self(.leaf7EDX, 9) }        // SRBDS_CTRL        the microcode that mends it is loaded
  package static var clearsBuffers: Self      { Self(.leaf7EDX, 10) }       // MD_CLEAR          VERW empties buffers
  package static var control: Self            { Self(.leaf7EDX, 26) }       // IBRS and IBPB     SPEC_CTRL, PRED_CMD
  package static var threadControl: Self      { Self(.leaf7EDX, 27) }       // STIBP
  package static var flushesL1: Self          { Self(.leaf7EDX, 28) }       // L1D_FLUSH         FLUSH_CMD
  package static var capabilities: Self       { Self(.leaf7EDX, 29) }       // ARCH_CAPABILITIES
  package static var storeControl: Self       { Self(.leaf7EDX, 31) }       // SSBD
  package static var forwardingControl: Self  { Self(.leaf7Sub2EDX, 0) }    // PSFD
  package static var targetControl: Self      { Self(.leaf7Sub2EDX, 1) }    // IPRED_CTRL        IPRED_DIS_U, IPRED_DIS_S
  package static var returnControl: Self      { Self(.leaf7Sub2EDX, 2) }    // RRSBA_CTRL        returns never by other predictions
  package static var prefetchControl: Self    { Self(.leaf7Sub2EDX, 3) }    // DDPD_U
  package static var historyControl: Self     { Self(.leaf7Sub2EDX, 4) }    // BHI_CTRL          BHI_DIS_S
  package static var restoresPointers: Self   { Self(.extensionsEBX, 2) }   // RstrFpErrPtrs     XRSTOR loads x87's pointers always
  package static var barrier: Self            { Self(.extensionsEBX, 12) }  // IBPB              PRED_CMD
  package static var amdControl: Self         { Self(.extensionsEBX, 14) }  // IBRS              SPEC_CTRL
  package static var amdThreadControl: Self   { Self(.extensionsEBX, 15) }  // STIBP
  package static var amdStoreControl: Self    { Self(.extensionsEBX, 24) }  // SSBD
  package static var keepsStoreOrder: Self    { Self(.extensionsEBX, 26) }  // SsbdNotRequired
  package static var amdForwardingControl: Self { Self(.extensionsEBX, 28) } // PSFD
  package static var keepsBranchTypes: Self   { Self(.extensionsEBX, 29) }  // BTC_NO            no Retbleed
  package static var amdClearsBuffers: Self   { Self(.extended2EAX, 5) }    // VERW_CLEAR
  package static var automaticControl: Self   { Self(.extended2EAX, 8) }    // AutomaticIBRS     a bit of EFER
  package static var barrierForgetsTypes: Self { Self(.extended2EAX, 28) }  // IBPB_BRTYPE       IBPB empties all of it
  package static var keepsReturns: Self       { Self(.extended2EAX, 29) }   // SRSO_NO
  package static var keepsKernelReturns: Self { Self(.extended2EAX, 30) }   // SRSO_USER_KERNEL_NO
  package static var reducesReturns: Self     { Self(.extended2EAX, 31) }   // SRSO_BP_SPEC_REDUCE  a bit of BP_CFG
  package static var keepsStoreQueue: Self    { Self(.extended2ECX, 1) }    // TSA_SQ_NO
  package static var keepsL1: Self            { Self(.extended2ECX, 2) }    // TSA_L1_NO
}
