// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

/// The registers that instructions name by themselves.
extension GeneralRegisters {
  package var rax: UInt64 { get { words[0] } set { words[0] = newValue } }
  package var rcx: UInt64 { get { words[1] } set { words[1] = newValue } }
  package var rdx: UInt64 { get { words[2] } set { words[2] = newValue } }
  package var rbx: UInt64 { get { words[3] } set { words[3] = newValue } }
  package var rsp: UInt64 { get { words[4] } set { words[4] = newValue } }
  package var rbp: UInt64 { get { words[5] } set { words[5] = newValue } }
  package var rsi: UInt64 { get { words[6] } set { words[6] = newValue } }
  package var rdi: UInt64 { get { words[7] } set { words[7] = newValue } }
}
