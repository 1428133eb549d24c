// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Emulator

struct AcceleratorDecisionTests {
  @Test(arguments: [HostVirtualisation.noKVM, .notAllowed, .unusable, .otherVendor, .promising])
  func `what was asked for is used, whatever the host is like`(host: HostVirtualisation) {
    #expect(AcceleratorDecision(request: .tcg, host: host)?.accelerator == .tcg)
    #expect(AcceleratorDecision(request: .kvm, host: host)?.accelerator == .kvm)
  }

  @Test(arguments: [
    (HostVirtualisation.noKVM, "this computer has no /dev/kvm"),
    (.notAllowed, "/dev/kvm is not open to you; joining the group 'kvm' would help"),
    (.unusable, "/dev/kvm is there but makes no virtual machine"),
    (.otherVendor, "KVM needs a processor with AMD SVM for this"),
  ])
  func `a host that cannot is not tried, and the reason is said`(host: HostVirtualisation, reason: String) {
    #expect(AcceleratorDecision(request: .auto, host: host) == AcceleratorDecision(.tcg, reason))
  }

  @Test func `a promising host is tried`() {
    #expect(AcceleratorDecision(request: .auto, host: .promising) == nil)
  }

  @Test func `only a guest that ran in a guest makes it KVM`() {
    #expect(AcceleratorDecision(probe: ProbeOutcome(status: 33)).accelerator == .kvm)
    for outcome in [ProbeOutcome(status: 0), ProbeOutcome(status: 1), .killed(signal: 6), .timedOut] {
      #expect(AcceleratorDecision(probe: outcome).accelerator == .tcg)
    }
  }

  @Test func `a processor's flags are whole words`() {
    let text = "processor : 0\nflags\t\t: fpu svm_lock npt\nbugs : svm\n"
    #expect(!text.names(flag: "svm"))
    #expect(text.names(flag: "npt"))
  }
}
