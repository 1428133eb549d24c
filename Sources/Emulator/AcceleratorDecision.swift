// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What a person asked for.
package enum AcceleratorRequest: String, CaseIterable, Sendable {
  /// KVM where it can run guests that have guests, otherwise TCG.
  case auto
  case kvm
  case tcg
}

/// What the host says of its own virtualisation, without trying it.
package enum HostVirtualisation: Equatable, Sendable {
  /// There is no `/dev/kvm`.
  case noKVM
  case notAllowed
  /// `/dev/kvm` is there but makes no virtual machine.
  case unusable
  /// The processor's virtualisation is not AMD's, which is what Roost can use.
  case otherVendor
  /// Worth a trial.
  case promising
}

/// How the trial of KVM went: our kernel, told `probe`, runs one tiny guest and reports.
package enum ProbeOutcome: Equatable, Sendable {
  case works
  case ended(status: Int)
  case killed(signal: Int)
  case timedOut

  /// What QEMU ends with when the kernel writes 0x10, for "it works", to the exit device: twice that, plus 1.
  static let success = 0x10 << 1 | 1

  /// What the emulator's end means.
  package init(status: Int) { self = status == Self.success ? .works : .ended(status: status) }
}

/// Which accelerator is used, and why.
package struct AcceleratorDecision: Equatable, Sendable, CustomStringConvertible {
  package var accelerator: Accelerator
  package var reason: String

  package var description: String { "\(accelerator.rawValue.uppercased()): \(reason)" }

  init(_ accelerator: Accelerator, _ reason: String) {
    self.accelerator = accelerator
    self.reason = reason
  }

  /// The decision before any trial; `nil` if only a trial can tell.
  package init?(request: AcceleratorRequest, host: HostVirtualisation) {
    switch (request, host) {
    case (.tcg, _): self.init(.tcg, "asked for")
    case (.kvm, _): self.init(.kvm, "asked for")
    case (.auto, .noKVM): self.init(.tcg, "this computer has no /dev/kvm")
    case (.auto, .notAllowed): self.init(.tcg, "/dev/kvm is not open to you; joining the group 'kvm' would help")
    case (.auto, .unusable): self.init(.tcg, "/dev/kvm is there but makes no virtual machine")
    case (.auto, .otherVendor): self.init(.tcg, "KVM needs a processor with AMD SVM for this")
    case (.auto, .promising): return nil
    }
  }

  /// The decision after a trial.
  package init(probe: ProbeOutcome) {
    switch probe {
    case .works: self.init(.kvm, "a guest ran in a guest")
    case .ended(let status): self.init(.tcg, "KVM is there, but a guest in a guest failed (status \(status))")
    case .killed(let signal): self.init(.tcg, "KVM is there, but the trial of it was ended by signal \(signal)")
    case .timedOut: self.init(.tcg, "KVM is there, but the trial of it never ended")
    }
  }
}
