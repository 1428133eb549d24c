// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

/// What access control services can do, and what is switched on of it (PCI Express 6.0, §7.7.11).
package struct IsolationFlags: Flags {
  package let rawValue: UInt16
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  /// V: who claims to be somebody else is refused.
  package static var sourceValidation: Self    { .bit(0) }
  /// B: what claims to be translated already is refused.
  package static var translationBlocking: Self { .bit(1) }
  /// R: what is for a device beside goes up first.
  package static var requestRedirect: Self     { .bit(2) }
  /// C: so do answers.
  package static var completionRedirect: Self  { .bit(3) }
  /// U: nothing turns round at the port.
  package static var upstreamForwarding: Self  { .bit(4) }

  /// With all of these no request reaches another device but through the IOMMU.
  package static var needed: Self {
    .sourceValidation | .requestRedirect | .completionRedirect | .upstreamForwarding
  }
}
