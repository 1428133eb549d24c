// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Emulator

struct EmulatorMessagesTests {
  private let start = """
    qemu-system-x86_64: warning: TCG doesn't support requested feature: CPUID.07H:EBX.rdseed [bit 18]
    CPU Reset (CPU 0)
    EAX=00000000 EBX=00000000 ECX=00000000 EDX=00000000
    CS =0000 00000000 00000000 00000000

    """

  @Test func `what every start says is not worth repeating`() {
    #expect(EmulatorMessages(text: start).last == nil)
    #expect(!EmulatorMessages(text: start).tellsOfTripleFault)
  }

  @Test func `the last words of an emulator that failed are kept`() {
    let messages = EmulatorMessages(text: start + "qemu-system-x86_64: cannot set up guest memory\n")
    #expect(messages.last == "qemu-system-x86_64: cannot set up guest memory")
  }

  @Test func `a triple fault is noticed`() {
    #expect(EmulatorMessages(text: start + "Triple fault\n").tellsOfTripleFault)
  }
}
