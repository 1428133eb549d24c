// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import Emulator

/// The way of bytes between a person and the machine, over sockets that stand for both.
struct ConsolePumpTests {
  /// A socket pair: our end, the pump's end.
  private func pair() -> (Descriptor, Descriptor) {
    var ends: [Int32] = [-1, -1]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    return (Descriptor(number: ends[0]), Descriptor(number: ends[1]))
  }

  private func text(_ descriptor: Descriptor) -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    guard case .bytes(let count) = descriptor.read(into: &buffer) else { return "" }
    return String(decoding: buffer[..<count], as: UTF8.self)
  }

  @Test func `what is typed before the quit key reaches the machine, what comes after does not`() {
    let typed = KeyboardFilter([0x61, 0x62, 0x1d, 0x63])
    #expect(typed.forwarded == [0x61, 0x62])
    #expect(typed.wantsToQuit)
    #expect(!KeyboardFilter([0x03, 0x01, 0x1b]).wantsToQuit)
  }

  @Test func `bytes go both ways, then the quit key ends it`() async {
    let (person, keyboard) = pair()
    let (reader, screen) = pair()
    let (machine, line) = pair()
    let (_, signals) = pair()
    let pump = ConsolePump(keyboard: keyboard, screen: screen, machine: line, signals: signals)
    async let end = onThread { pump.run() }

    _ = machine.writeAll(Array("login: ".utf8)[...])
    #expect(await onThread { text(reader) } == "login: ")
    _ = person.writeAll(Array("root\r".utf8)[...])
    #expect(await onThread { text(machine) } == "root\r")
    _ = person.writeAll([KeyboardFilter.quitKey])
    #expect(await end == .quit)
  }

  @Test func `a keyboard that ends leaves the screen on, until the machine ends`() async {
    let (person, keyboard) = pair()
    let (reader, screen) = pair()
    let (machine, line) = pair()
    let (_, signals) = pair()
    let pump = ConsolePump(keyboard: keyboard, screen: screen, machine: line, signals: signals)
    async let end = onThread { pump.run() }

    person.close()
    _ = machine.writeAll(Array("still here".utf8)[...])
    #expect(await onThread { text(reader) } == "still here")
    machine.close()
    #expect(await end == .machineEnded)
  }

  @Test func `a signal ends it and is named`() {
    let (sender, signals) = pair()
    let (_, line) = pair()
    _ = sender.writeAll([UInt8(SIGTERM)])

    let none = Descriptor(number: -1)
    #expect(ConsolePump(keyboard: none, screen: none, machine: line, signals: signals).run() == .signalled(SIGTERM))
  }
}
