// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// The keys of disks, and of what VMs have of them.

extension Key {
  static let disks = Key(
    name: "disks", form: .named(.disk, count: 0...Limits.disks), example: "disks: { sata0: { driver: ahci } }",
    summary: "The disks by name, which the VMs share.")
  static let driver = Key(
    name: "driver", isRequired: true, form: .word(["ahci", "image"]), example: "driver: ahci",
    summary: "ahci for a drive behind a Serial ATA controller; image for a file in the boot image, read-only.")
  static let pci = Key(
    name: "pci", form: .text(pattern: Pattern.pciAddress, maximum: nil), example: "pci: 00:11.5",
    summary: "Where the controller is, as lspci shows it; the first AHCI controller if not given.")
  static let diskInterrupt = Key(
    name: "interrupt", form: .number(Limits.interrupts), example: "interrupt: 21",
    summary: "The number (GSI) of the controller's interrupt line, to be used in place of messages.")
  static let file = Key(
    name: "file", form: .text(pattern: Pattern.path, maximum: nil), example: "file: tools.img",
    summary: "The path of the image file, from this file's folder.")
  static let diskCore = Key(
    name: "core", form: .number(0...(Limits.cores - 1)), example: "core: 0",
    summary: "The core the disk's server runs on; 0 if not given.")

  static let shares = Key(
    name: "disks", form: .list(.section(.share), count: 0...Limits.shares),
    example: "disks: [{ disk: sata0, partition: 1 }]",
    summary: "The VM's disks; the first is vda.")
  static let shareDisk = Key(
    name: "disk", isRequired: true, form: .text(pattern: Pattern.name, maximum: Limits.nameLength),
    example: "disk: sata0", summary: "The disk that it is, or is a part of.")
  static let partition = Key(
    name: "partition", form: .number(Limits.partitions), example: "partition: 1",
    summary: "The partition by its number, as Linux counts; the whole disk if no partition is named.")
  static let partitionName = Key(
    name: "partition-name", form: .text(pattern: ".+", maximum: 36), example: "partition-name: data",
    summary: "The partition by its name in the GPT.")
  static let partitionUUID = Key(
    name: "partition-uuid", form: .text(pattern: Pattern.partitionUUID, maximum: nil),
    example: "partition-uuid: 1b2f4c1e-02", summary: "The partition by its PARTUUID.")
  static let readOnly = Key(
    name: "read-only", form: .flag, example: "read-only: true",
    summary: "Whether the VM may only read; false if not given, true for an image file.")
  static let optional = Key(
    name: "optional", form: .flag, example: "optional: true",
    summary: "Whether the VM starts without the disk if it cannot be had; false if not given.")
  static let queues = Key(
    name: "queues", form: .number(Limits.queues), example: "queues: 1",
    summary: "How many request queues the VM is offered; 1 if not given.")
  static let diskRate = Key(
    name: "rate", form: .text(pattern: Pattern.diskRate, maximum: nil), example: "rate: 20 MB/s",
    summary: "How much the VM may read and write at most, in kB/s, MB/s or GB/s; no limit if not given.")
  static let serial = Key(
    name: "serial", form: .text(pattern: Pattern.printable, maximum: Limits.serial), example: "serial: data",
    summary: "The serial number that the VM reads; the disk's name if not given.")
}

extension Section {
  static let disk = Section(title: "a disk", keys: [.driver, .pci, .diskInterrupt, .file, .diskCore])
  static let share = Section(
    title: "a VM's disk",
    keys: [
      .shareDisk, .partition, .partitionName, .partitionUUID, .readOnly, .optional, .queues, .diskRate, .serial,
    ])
}
