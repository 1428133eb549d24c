// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// The keys of PCI devices that VMs have for themselves.

extension Key {
  static let devices = Key(
    name: "devices", form: .list(.section(.passedDevice), count: 0...Limits.devices),
    example: "devices: [{ pci: 66:00.0 }]",
    summary: "PCI devices of the computer that the VM has for itself; needs an IOMMU, or 'unprotected-dma'.")
  static let device = Key(
    name: "pci", isRequired: true, form: .text(pattern: Pattern.device, maximum: nil), example: "pci: 66:00.0",
    summary: "Where the device is, as lspci prints it.")
  static let unprotectedDMA = Key(
    name: "unprotected-dma", form: .flag, example: "unprotected-dma: true",
    summary: "Whether VMs and disk servers may have devices that no IOMMU keeps to their memory; false if not given.")
  static let interrupt = Key(
    name: "interrupt", form: .number(Limits.interrupts), example: "interrupt: 23",
    summary: "The number (GSI) of the device's interrupt line, for drivers that use no messages; found if not given.")
}

extension Section {
  static let passedDevice = Section(title: "a device", keys: [.device, .interrupt])
}

extension Pattern {
  static let device = "([0-9A-Fa-f]{4}:)?[0-9A-Fa-f]{2}:[01][0-9A-Fa-f]\\.[0-7]"
}
