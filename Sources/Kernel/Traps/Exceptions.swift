// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The names of processor exceptions (AMD APM volume 2, §8.2).
func exceptionName(_ vector: UInt64) -> StaticString {
  switch vector {
  case 0: "divide error"
  case 1: "debug"
  case 2: "non-maskable interrupt"
  case 3: "breakpoint"
  case 4: "overflow"
  case 6: "invalid instruction or failed check"
  case 7: "use of floating point"
  case 8: "double fault"
  case 10: "invalid task-state segment"
  case 11: "segment not present"
  case 12: "stack fault"
  case 13: "general protection"
  case 14: "page fault"
  case 16, 19: "floating-point exception"
  case 17: "misaligned access"
  case 18: "machine check"
  default: "exception"
  }
}
