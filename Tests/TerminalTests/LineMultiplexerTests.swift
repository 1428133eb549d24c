// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Terminal

@Suite struct LineMultiplexerTests {
  private func outcomes(_ text: String, machines: Int = 4) -> [KeyOutcome] {
    var keyboard = LineMultiplexer(machines: machines)
    return text.utf8.map { keyboard.take($0) }
  }

  /// What the VM got, and the commands, in order; echoes left out.
  private func result(_ text: String, machines: Int = 4) -> [KeyOutcome] {
    outcomes(text, machines: machines).filter { $0 != .echo }
  }

  @Test func `at the first key an @ and a digit move the keyboard`() {
    #expect(outcomes("@2") == [.echo, .command(.select(2))])
  }

  @Test(arguments: ["\r", "\n", "\u{3}", "\u{4}", "\u{15}"])
  func `a line starts after Enter, ^C, ^D and ^U`(end: String) {
    #expect(result("a\(end)@1").last == .command(.select(1)))
  }

  @Test func `in the middle of a line an @ is an @`() {
    #expect(result("a@1") == [.send(0x61), .send(0x40), .send(0x31)])
  }

  @Test func `a line that was taken back by Backspace is at its start again`() {
    #expect(result("ab\u{7f}\u{8}@1").last == .command(.select(1)))
    #expect(result("ab\u{7f}@1").last == .send(0x31))
  }

  @Test func `a command may follow a command`() {
    #expect(result("@0@1@l") == [.command(.select(0)), .command(.select(1)), .command(.list)])
  }

  @Test func `two @ are one for the VM, and its line goes on`() {
    #expect(result("@@@") == [.command(.literal), .send(0x40)])
  }

  @Test func `each command has a letter`() {
    #expect(
      result("@?@l@q@r 1@p2@t 3")
        == [.help, .list, .toggleMode, .restart(1), .power(2), .trace(3)].map { .command($0) })
  }

  @Test func `several VMs are named by their digits and Enter`() {
    #expect(result("@m013\r") == [.command(.selectMany(0b1011))])
    #expect(result("@m 0, 2\r") == [.command(.selectMany(0b101))])
  }

  @Test func `with more than ten VMs a number has two digits, or ends with Enter or a blank`() {
    #expect(result("@12", machines: 16) == [.command(.select(12))])
    #expect(result("@3\r", machines: 16) == [.command(.select(3))])
    #expect(result("@r 3 ", machines: 16) == [.command(.restart(3))])
    #expect(result("@m 1 12\r", machines: 16) == [.command(.selectMany(1 << 12 | 2))])
    #expect(result("@99", machines: 16) == [.refused(.noSuchMachine(99))])
  }

  @Test func `what is no command is refused and says why`() {
    #expect(result("@x") == [.refused(.unknown)])
    #expect(result("@\r") == [.refused(.unknown)])
    #expect(result("@7") == [.refused(.noSuchMachine(7))])
    #expect(result("@r\r") == [.refused(.notANumber)])
    #expect(result("@rx") == [.refused(.notANumber)])
    #expect(result("@m\r") == [.refused(.nobody)])
    #expect(result("@m0x\r") == [.refused(.notANumber)])
    #expect(result("@m05\r") == [.refused(.noSuchMachine(5))])
  }

  @Test func `Backspace takes a command back, key by key`() {
    #expect(outcomes("@\u{7f}") == [.echo, .cancelled])
    #expect(outcomes("@r\u{7f}l") == [.echo, .echo, .echo, .command(.list)])
    #expect(outcomes("@m0\u{7f}1\r").last == .command(.selectMany(2)))
  }

  @Test func `Escape and ^C take a command back at once`() {
    #expect(outcomes("@m01\u{1b}").last == .cancelled)
    #expect(outcomes("@m01\u{3}").last == .cancelled)
  }

  @Test func `a command without an end is refused, not kept`() {
    #expect(result("@m" + String(repeating: " ", count: 100)).first == .refused(.nobody))
  }

  @Test func `bytes beyond ASCII reach the VM unchanged`() {
    #expect(result("é") == [.send(0xc3), .send(0xa9)])
  }
}
