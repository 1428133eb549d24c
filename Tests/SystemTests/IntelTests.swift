// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver
import Testing

extension SystemTests {
  /// The same kernel on an Intel processor, which Bochs emulates at a tenth of QEMU's speed.
  @Suite(.serialized)
  struct IntelTests {
    /// With all that is used, and without what older processors have not.
    @Test(arguments: IntelProcessor.all)
    fileprivate func `guests of a few instructions run under VMX`(processor: IntelProcessor) async throws {
      let name = "intel-probe-\(processor.model)"
      let disc = try await BootDisc.make(name, arguments: "probe")
      let machine = try await BochsComputer(disc: disc, model: processor.model).boot(name)
      try await machine.expect(.text(processor.says), within: .seconds(600))
      if let control = processor.control { try await machine.expect(.line(control), within: .seconds(600)) }
      try await machine.expect(.text("MSR 0x48b: \(processor.secondary)"), within: .seconds(600))
      try await machine.expect("guests run here")
      await machine.end()
    }

    @Test func `a VM on the second processor boots to its log-in, and answers what is typed`() async throws {
      let disc = try await BootDisc.make("intel", "Tests/SystemTests/Systems/second-core.yaml")
      let machine = try await BochsComputer(disc: disc, processors: "2").boot("intel")
      try await machine.expect(.line("cores +2 of 2 processors, Intel VMX"), within: .seconds(600))
      try await machine.expect("timers take deadlines")
      try await machine.expect("Roost runs second-core", within: .seconds(600))
      try await machine.logIn(0, within: .seconds(3600))
      try await machine.ask("@q", for: "only the VM with the keyboard is shown", within: .seconds(600))
      let answer = try await machine.run("grep -c GenuineIntel /proc/cpuinfo; uname -m", on: 0, within: .seconds(600))
      #expect(answer.split(whereSeparator: \.isWhitespace) == ["1", "i686"])
      // Timer interrupts, floating point, and a reboot of the VM, whose VMCS is made anew.
      #expect(try await machine.run("sleep 1; echo | awk '{ print 1.5 * 3 }'", on: 0, within: .seconds(600)) == "4.5")
      machine.enter("reboot -f")
      try await machine.expect("tiny login:", within: .seconds(3600))
      await machine.end()
    }

    /// This model says of itself that it leaks, and QEMU's TCG guesses nothing.
    @Test func `VMs that share a physical core with another or a server stay off where that leaks`() async throws {
      let disc = try await BootDisc.make("intel-siblings", "Tests/SystemTests/Systems/siblings.yaml")
      let machine = try await BochsComputer(disc: disc, processors: "1:2:2").boot("intel-siblings")
      try await machine.expectAll(
        [
          .line("vm0: another thread of its core has console, and this processor leaks between threads"),
          .line("give it another core, or write 'threads: warn' in 'machine'"),
          .line("of 4 processors, threads of 2 physical cores"), .line("MDS: vulnerable: microcode is too old"),
        ], within: .seconds(600))
      await machine.end()
    }

    /// QEMU's TCG has no such registers: only here are they seen at work, between two cores and for a guest's timer;
    /// with `make test-intel`.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["ROOST_INTEL"] != nil))
    func `local APICs are driven by registers, where that is asked for`() async throws {
      let disc = try await BootDisc.make(
        "intel-x2apic", "Tests/SystemTests/Systems/second-core.yaml", arguments: "x2apic")
      let machine = try await BochsComputer(disc: disc, processors: "2").boot("intel-x2apic")
      try await machine.expect(.line("cores +2 of 2 processors, Intel VMX"), within: .seconds(600))
      try await machine.expect(.line("interrupts +x2APIC; I/O APICs: 1"), within: .seconds(600))
      try await machine.expect("tiny login:", within: .seconds(3600))
      await machine.end()
    }

    /// In a Bochs that keeps translations over entries, exits and changes of CR3 wherever the manual lets a processor:
    /// with numbers for them, by which spaces are kept apart, and without, where a kernel that enters a guest with another
    /// CR3 than the exit loads comes back to a VMM with the translations of another. With `make test-intel`.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["ROOST_INTEL"] != nil), arguments: [nil, "pcid"])
    func `two VMs and their switch share a core, and no translation`(without feature: String?) async throws {
      let name = "intel-one-core" + (feature.map { "-no-\($0)" } ?? "")
      let disc = try await BootDisc.make(name, "Tests/SystemTests/Systems/one-core.yaml")
      let machine = try await BochsComputer(disc: disc, strict: try await StrictBochs.program(), without: feature)
        .boot(name)
      try await machine.expect("Roost runs one-core", within: .seconds(600))
      var failure: (any Error)?
      do {
        try await machine.expectAll([.text("left login:"), .text("right login:")], within: .seconds(1800))
      } catch { failure = error }
      await machine.end()
      let host = try StrictBochs.counts(in: BochsComputer.counts(name))
      #expect(host.strange == 0, "ring 3 ran with translations of another space")
      if let failure { throw failure }
      #expect(host.kept > 10_000)
      let counts = host.byReason
      for count in counts { print(count.line) }
      let all = counts.reduce(ExitCounts(), +)
      #expect(all.exits > 10_000)
      #expect(all.listEntries == 0)
      // CPUID, HLT, ports, RDMSR, and touches of memory, for which the guest's segments are read besides.
      for count in counts where [10, 12, 30, 31].contains(count.reason) {
        #expect(count.reads <= 11 * count.exits)
        #expect(count.writes <= 6 * count.exits)
      }
      for count in counts where count.reason == 48 { #expect(count.reads <= 21 * count.exits) }
    }

    /// Guests that use SYSCALL and SWAPGS as a 64-bit kernel does, each with values of its own, turn about on one core: no
    /// exit stores or loads a register by a list, and none of the two ever has one of the other's. With `make test-intel`.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["ROOST_INTEL"] != nil))
    func `two 64-bit VMs share a core, and none of the registers of SYSCALL`() async throws {
      let name = "intel-long"
      let disc = try await BootDisc.make(name, LongGuests.make())
      let machine = try await BochsComputer(disc: disc, strict: try await StrictBochs.program()).boot(name)
      try await machine.expect("Roost runs long", within: .seconds(600))
      for _ in 0..<4 {
        try await machine.expectAll([.line("left +│ L"), .line("right +│ R")], within: .seconds(600))
      }
      await machine.end()
      let host = try StrictBochs.counts(in: BochsComputer.counts(name))
      for count in host.byReason { print(count.line) }
      #expect(host.strange == 0)
      let all = host.byReason.reduce(ExitCounts(), +)
      #expect(all.exits > 10_000)
      #expect(all.listEntries == 0)
      // The registers move with the guests' turns, which are much longer than the way from one exit to the next.
      #expect(all.registerAccesses < all.exits)
    }
  }
}

/// `Tests/Guests/long.S`, twice.
private enum LongGuests {
  /// Assembles them. → the path of a description of two VMs that run them, from the root
  static func make() async throws -> String {
    let folder = ".build/intel-long-guests"
    let path = "\(Repository.root)/\(folder)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for number in 0...1 {
      let base = "\(path)/long\(number)"
      try await Tool.run([
        "clang", "--target=x86_64-unknown-none-elf", "-c", "-DID=\(number)", "-o", base + ".o",
        "\(Repository.root)/Tests/Guests/long.S",
      ])
      try await Tool.run(["objcopy", "-O", "binary", "-j", ".text", base + ".o", base + ".kernel"])
    }
    let description = """
      name: long
      console: { uart: com2 }
      vms:
        left: { memory: 128 MiB, cores: [0], kernel: long0.kernel }
        right: { memory: 128 MiB, cores: [0], kernel: long1.kernel }

      """
    try description.write(toFile: path + "/long.yaml", atomically: true, encoding: .utf8)
    return folder + "/long.yaml"
  }
}

/// A processor that Bochs emulates, what it is found to have, and its secondary controls.
private struct IntelProcessor: Sendable {
  let model: String
  let says: String
  let secondary: String
  /// What it says of SPEC_CTRL, if that is there.
  var control: String?

  static let all = [
    IntelProcessor(
      model: "corei5_arrandale_m520",
      says: "by an interrupt of the machine, interrupts that wait are delivered by an exit",
      secondary: "0xff00000000"),
    IntelProcessor(
      model: "corei7_ivy_bridge_3770k", says: "by the preemption timer, interrupts that wait are delivered by an exit",
      secondary: "0x8ff00000000"),
    IntelProcessor(
      model: "corei7_skylake_x",
      says: "by the preemption timer, interrupts that wait are delivered and ended with no exit",
      secondary: "0x2177fff00000000"),
    IntelProcessor(
      model: "corei7_icelake_u",
      says: "by the preemption timer, interrupts that wait are delivered and ended with no exit",
      secondary: "0x", control: "guests have SPEC_CTRL 0x7 for their own"),
  ]
}

/// A PC with an Intel processor, of 2017 if nothing else is said, in Bochs 2.7; its console is COM2.
private struct BochsComputer {
  /// The path of the disc that it boots.
  let disc: String
  var model = "corei7_skylake_x"
  /// How many; or packages, cores of each and threads of each of these, with colons between.
  var processors = "1"
  /// The Bochs that forgets no more than it must; `nil` for Debian's.
  var strict: String?
  /// What its processor has not, as that Bochs calls it.
  var without: String?

  /// Where that writes its counts.
  /// - Parameter name: As with `boot`.
  static func counts(_ name: String) -> String { "\(Repository.root)/.build/\(name).counts" }

  /// - Parameter name: What its files in `.build` are called.
  func boot(_ name: String) async throws -> TestMachine {
    let base = "\(Repository.root)/.build/\(name)"
    let port = UInt16.random(in: 20_000..<30_000)
    try configuration(log: base + ".log", port: port).write(
      toFile: base + ".bochsrc", atomically: true, encoding: .utf8)
    if let strict {
      let command = ["env", "BOCHS_COUNTS=\(Self.counts(name))", strict, "-q", "-f", base + ".bochsrc"]
      return try await TestMachine(command: command, port: port)
    }
    // Bochs as Debian builds it starts in its debugger.
    try "continue\n".write(toFile: base + ".commands", atomically: true, encoding: .utf8)
    return try await TestMachine(command: ["bochs", "-f", base + ".bochsrc", "-rc", base + ".commands"], port: port)
  }

  /// Sound that is not there would end Bochs. Its clock goes as fast as it can: while a guest waits for a person, a minute
  /// goes by in some seconds.
  private func configuration(log: String, port: UInt16) -> String {
    let features = without.map { ", exclude_features=\"\($0)\"" } ?? ""
    return """
      display_library: \(strict == nil ? "rfb, options=\"timeout=0\"" : "nogui")
      romimage: file=/usr/share/bochs/BIOS-bochs-latest
      vgaromimage: file=/usr/share/vgabios/vgabios.bin
      cpu: model=\(model)\(features), count=\(processors), ips=100000000, reset_on_triple_fault=0, ignore_bad_msrs=1
      memory: guest=512, host=512
      pci: enabled=1, chipset=i440fx
      ata0-master: type=cdrom, path=\(disc), status=inserted
      boot: cdrom
      com1: enabled=1, mode=null
      com2: enabled=1, mode=socket-server, dev=127.0.0.1:\(port)
      \(strict == nil ? "sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy" : "")
      speaker: enabled=0
      log: \(log)
      panic: action=fatal
      error: action=ignore
      info: action=ignore

      """
  }
}
