// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

#if FAULT_INJECTION
  import CX86

  /// What must hold whenever ring 3 was left: checked in the builds that tests use.
  enum EntryChecks {
    /// Ring 0 does not run with ring 3's AC flag, which would let it into ring 3's pages.
    @inline(never)
    static func leftRing3() { precondition(cx86_flags() & 1 << 18 == 0) }
  }
#endif
