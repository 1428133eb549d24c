// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver
import Testing

extension SystemTests.NetworkTests {
  /// vm3's root writes rings, registers and lengths of his own making (`Tests/Guests/hostile.c`), for some seconds.
  @Test func `a hostile driver loses its own port, by name, and disturbs no other VM`() async throws {
    let system = try await FourOnASwitch.system
    try await system.pasteProgram("hostile", on: 3)
    // Takes the card from its driver; ports, memory and bus mastering stay on.
    try await system.run(
      "f=$(readlink -f /sys/class/net/eth0/device/..); basename $f > /sys/bus/pci/drivers/virtio-pci/unbind; "
        + #"printf '\007' | dd of=$f/config bs=1 seek=4 conv=notrunc"#, on: 3)
    let seed = Int.random(in: 1...1_000_000)
    let before = try await system.port(of: 3)
    system.select(3)
    system.enter("/tmp/hostile $f \(seed) 20")
    try await system.expect("hostile: begins")

    let stream = Stream(from: 0, to: 1, mebibytes: 1)
    try await stream.start(system)
    try await system.pingAllPairs(0...2)
    try await stream.finish(system, within: .seconds(120))
    system.select(3)
    try await system.expect(.line(#"hostile: \d+ lives"#), within: .seconds(120))
    let after = try await system.port(of: 3)
    #expect(after["refused_malformed"] > before["refused_malformed"] && after["sent"] > before["sent"] + 100)
    let shutDown = Pattern.line("vm3: card 0 is shut down: (receive|transmit) queue: [a-z]")
    try await system.expectLog([shutDown], within: .seconds(120))
    try await system.pingAllPairs(0...2)
    for number in 0...2 {
      let port = try await system.port(of: number)
      #expect(port["up"] == 1 && port["starts"] == 1, "the switch and vm\(number)'s port go on")
    }

    // No driver holds the card any more: a new start brings it back.
    try await system.ask("@r 3", for: "vm3 starts")
    try await system.logIn(3)
    try await system.configure(3)
    try await system.pingAllPairs()
    try await system.expectThatCountersAddUp()
  }
}
