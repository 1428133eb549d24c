// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A way to make a good subject bad, and why it is refused then.
package struct Refusal<Subject, Reason: Error>: Sendable {
  package let what: String
  package let reason: Reason
  package let change: @Sendable (inout Subject) -> Void

  package init(_ what: String, _ reason: Reason, _ change: @escaping @Sendable (inout Subject) -> Void) {
    self.what = what
    self.reason = reason
    self.change = change
  }
}
