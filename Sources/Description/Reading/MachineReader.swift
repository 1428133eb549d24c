// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// Reads the VMs one after another and deals the computer out to them.
struct MachineReader {
  let files: GuestFiles
  /// Cores of the computer; `nil` if the description leaves them open.
  let cores: Int?
  /// Memory of the computer; `nil` if the description leaves it open.
  let memory: UInt64?
  private var network: NetworkReader
  private var devices: DeviceReader
  private var shares: ShareReader
  var report: Report
  /// Memory dealt out so far, what Roost itself needs included.
  private var dealt = Limits.reserve

  init(
    files: GuestFiles, cores: Int?, memory: UInt64?, network: NetworkReader, shares: ShareReader,
    devices: DeviceReader, report: Report
  ) {
    self.files = files
    self.cores = cores
    self.memory = memory
    self.network = network
    self.devices = devices
    self.shares = shares
    self.report = report
  }

  /// The VM of an entry of `vms`; `nil` if something about it is wrong.
  mutating func read(_ entry: Value.Entry) -> VirtualMachine? {
    let name = report.domainName(entry.key, of: "VM", at: entry.place)
    let isMap = report.check(
      entry.value, is: .section(.virtualMachine), subject: "\(quoted: entry.key)",
      example: "vm0: { memory: 128 MiB, cores: [0], kernel: debian:i386 }", keyPlace: entry.place)
    guard isMap else { return nil }
    let fields = report.fields(
      of: entry.value, as: .virtualMachine, owner: "VM \(quoted: entry.key)", at: entry.place)
    let memory = fields[.memory].flatMap { readMemory($0, of: entry.key) }
    let core = fields[.cores].flatMap { readCore($0, of: entry.key) }
    let commandLine = fields[.commandLine].map { report.commandLine($0) } ?? "console=ttyS0,115200"
    let onCrash = fields[.onCrash].map { report.word($0, of: .onCrash) } ?? "stop"
    let missing =
      fields[.ifCoreMissing].map { report.word($0, of: .ifCoreMissing).flatMap(MissingCore.init) } ?? .refuse
    let boot = fields[.kernel].flatMap {
      readBoot(kernel: $0, initrd: fields[.initrd], memory: memory, of: entry.key)
    }
    let cards = fields[.cards].map { network.read($0, of: entry.key, &report) } ?? []
    let disks = fields[.shares].map { shares.read($0, of: entry.key, &report) } ?? []
    let passed = fields[.devices].map { devices.read($0, of: entry.key, &report) } ?? []
    guard let name, let memory, let core, let boot, let commandLine, let onCrash, let missing else { return nil }
    return VirtualMachine(
      name: name, memory: memory, core: core, ifCoreMissing: missing, kernel: boot.kernel, initrd: boot.initrd,
      commandLine: commandLine, onCrash: onCrash == "restart" ? .restart : .stop, cards: cards, disks: disks,
      devices: passed)
  }

  private mutating func readMemory(_ value: Value, of machine: String) -> UInt64? {
    guard let size = report.size(value, of: .memory) else { return nil }
    if size < Limits.leastMemory {
      report.add(.resource(.tooLittleMemory(size)), at: value.place)
      return nil
    }
    guard size.isMultiple(of: Limits.memoryUnit) else {
      report.add(.resource(.unevenMemory(size)), at: value.place)
      return nil
    }
    if let memory, size > memory - min(memory, dealt) {
      let left = memory - min(memory, dealt)
      report.add(
        .resource(.memoryDoesNotFit(machine: machine, asked: size, left: left, total: memory)), at: value.place)
      return nil
    }
    dealt += size
    return size
  }

  private mutating func readCore(_ value: Value, of machine: String) -> Int? {
    guard let only = value.elements.first else {
      report.add(.resource(.noCore(machine: machine)), at: value.place)
      return nil
    }
    guard value.elements.count == 1 else {
      report.add(.resource(.severalCores(machine: machine, count: value.elements.count)), at: value.place)
      return nil
    }
    let form = Form.number(0...(Limits.cores - 1))
    guard
      report.check(
        only, is: form, subject: "an entry of 'cores'", example: Key.cores.example, keyPlace: only.place),
      let core = report.number(only, in: 0...(Limits.cores - 1), of: .cores)
    else { return nil }
    if let cores, core >= cores {
      report.add(.resource(.noSuchCore(core, count: cores)), at: only.place)
      return nil
    }
    return core
  }

  private mutating func readBoot(
    kernel: Value, initrd: Value?, memory: UInt64?, of machine: String
  ) -> (kernel: KernelSource, initrd: InitrdSource?)? {
    let kernelFile = files.kernel(kernel, &report)
    let initrdFile = initrd.map { files.initrd($0, for: kernelFile?.source, &report) }
    guard let kernelFile else { return nil }
    let size = kernelFile.size + (initrdFile??.size ?? 0)
    if let memory, size > memory / 2 {
      report.add(.boot(.filesDoNotFit(machine: machine, size: size, memory: memory)), at: kernel.place)
      return nil
    }
    return (kernelFile.source, initrdFile??.source)
  }
}
