// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Description

private let page: String = {
  let file = Fixture.systems.appending(path: "../Documentation/system-description.md").standardized
  return (try? String(contentsOf: file, encoding: .utf8)) ?? ""
}()

@Test(arguments: [
  Section.system, .machine, .console, .virtualSwitch, .disk, .virtualMachine, .networkCard, .share, .passedDevice,
])
func `the reference explains every key`(section: Section) {
  for key in section.keys { #expect(page.contains("\n| `\(key.name)` | "), "\(key.name)") }
}

@Test func `every message in the reference is one that is given`() throws {
  let given = try String(contentsOf: Fixture.folder.appending(path: "refused/messages.txt"), encoding: .utf8)
    .split(separator: "\n")
  let shown = page.split(separator: "\n").filter { $0.contains(".yaml:") && $0.contains(": error: ") }

  #expect(shown.count > 60)
  for line in shown { #expect(given.contains(line), "\(line)") }
}

@Test func `the example of the reference is a description`() throws {
  let start = try #require(page.range(of: "```yaml\nname:"))
  let rest = page[page.index(start.lowerBound, offsetBy: 8)...]
  let yaml = rest[..<(try #require(rest.range(of: "```")).lowerBound)]
    .replacing("build/vmlinuz", with: "vmlinuz").replacing("build/initrd.gz", with: "initrd")

  let system = try Description.parse(
    Array(yaml.utf8), file: "x.yaml", folder: Fixture.folder.appending(path: "files").path)

  #expect(system.machines.map(\.name) == ["gateway", "mine"])
  #expect(system.switches.map(\.name) == ["inside", "outside"])
  #expect(system.machines.map { $0.cards.map(\.network) } == [[0, 1], [0]])
}
