// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Description

/// With ROOST_WRITE_SCHEMA=1 this test writes the file that it otherwise compares.
@Test func `the published schema is the one the parser works by`() throws {
  let file = Fixture.systems.appending(path: "schema.json")
  if ProcessInfo.processInfo.environment["ROOST_WRITE_SCHEMA"] == "1" {
    try Data(System.jsonSchema.utf8).write(to: file)
  }

  #expect(try String(contentsOf: file, encoding: .utf8) == System.jsonSchema, "run again with ROOST_WRITE_SCHEMA=1")
}

@Test func `the schema is JSON and states kinds, forms and required keys`() throws {
  let root = try #require(JSONSerialization.jsonObject(with: Data(System.jsonSchema.utf8)) as? [String: Any])
  let properties = try #require(root["properties"] as? [String: Any])
  let machines = try #require(properties["vms"] as? [String: Any])
  let machine = try #require(machines["additionalProperties"] as? [String: Any])

  #expect(root["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
  #expect(root["required"] as? [String] == ["name", "console", "vms"])
  #expect(Set(properties.keys) == ["name", "on-panic", "machine", "console", "switches", "disks", "vms"])
  #expect(machines["maxProperties"] as? Int == 10)
  #expect(machine["required"] as? [String] == ["memory", "cores", "kernel"])
  #expect(machine["additionalProperties"] as? Bool == false)
}

/// What the schema says of a text, the parser says too: for each key, texts that fit and texts that do not.
@Test(arguments: [
  (Key.name, ["a", "vm0", "A-1"], ["", "0a", "a b", "ä", "a\n"]),
  (Key.memory, ["32 MiB", "2GiB"], ["", "32", "32 KiB", "32  MiB", "32 mib", " 32 MiB"]),
  (Key.kernel, ["debian:i386", "debian:amd64", "vmlinuz", "./a:b", "/a"], ["debian:sparc", "guest:busybox", ""]),
  (Key.initrd, ["guest:busybox", "a/b"], ["guest:other", "debian:i386"]),
  (Key.commandLine, ["", "quiet splash"], ["ü", "a\tb"]),
  (Key.address, ["02:00:00:00:aa:01", "FE:ff:00:99:9a:Aa"], ["", "02:00:00:00:aa", "2:0:0:0:aa:1"]),
  (Key.rate, ["1 kbit/s", "100Mbit/s", "1000 Gbit/s"], ["", "100", "1.5 Gbit/s", "1 gbit/s", "1  Mbit/s"]),
])
func `the patterns of the schema and the rules of the parser agree`(
  key: Key, good: [String], bad: [String]
) throws {
  guard case .text(let pattern, _) = key.form else { return #expect(Bool(false), "no text") }
  let expression = try Regex(pattern)

  for text in good { #expect(try text.wholeMatch(of: expression) != nil && !isRefused(text, key), "\(text)") }
  for text in bad { #expect(try text.wholeMatch(of: expression) == nil && isRefused(text, key), "\(text)") }
}

/// Whether the parser refuses a text for its form; that a file is not there does not count.
private func isRefused(_ text: String, _ key: Key) -> Bool {
  var fields = ["memory": "32 MiB", "kernel": "debian:i386", "initrd": "guest:busybox", "command-line": ""]
  if fields[key.name] != nil { fields[key.name] = text }
  let name = key == .name ? text : "test"
  let card = [Key.address, .rate].contains(key) ? ", \(key.name): \(quote(text))" : ""
  let machine = fields.sorted { $0.key < $1.key }.map { "    \($0.key): \(quote($0.value))\n" }.joined()
  let yaml =
    "name: \(quote(name))\nconsole: { uart: com1 }\nswitches: { lan: {} }\nvms:\n  vm0:\n    cores: [0]\n\(machine)"
    + "    nics: [{ switch: lan\(card) }]\n"
  do {
    _ = try Description.parse(Array(yaml.utf8), file: "x.yaml", folder: "/")
    return false
  } catch {
    return error.errors.contains { error in
      if case .boot(.fileMissing) = error.problem { false } else { true }
    }
  }
}

private func quote(_ text: String) -> String {
  "\"" + text.replacing("\n", with: "\\n").replacing("\t", with: "\\t") + "\""
}
