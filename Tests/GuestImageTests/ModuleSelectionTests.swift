// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import GuestImage

struct ModuleSelectionTests {
  private let known: [String: ModuleInformation] = [
    "virtio": ModuleInformation(),
    "virtio_ring": ModuleInformation(dependencies: ["virtio"]),
    "virtio_pci": ModuleInformation(
      dependencies: ["virtio_ring", "virtio"], aliases: ["pci:v00001AF4d*", "pci:v00001B36d*"]),
    "ahci": ModuleInformation(aliases: ["pci:v*bc01sc06i01*"]),
    "sd_mod": ModuleInformation(aliases: ["scsi:t-0x00*"]),
    "unrelated": ModuleInformation(),
    "chicken": ModuleInformation(dependencies: ["egg"]),
    "egg": ModuleInformation(dependencies: ["chicken"]),
  ]

  @Test func `what is chosen brings what it needs, and nothing else`() {
    let selection = ModuleSelection(["virtio_pci"]) { known[$0] }

    #expect(Set(selection.modules.keys) == ["virtio_pci", "virtio_ring", "virtio"])
  }

  @Test func `a module that the kernel has built in is passed over`() {
    #expect(ModuleSelection(["built_in", "virtio"]) { known[$0] }.modules.keys.sorted() == ["virtio"])
  }

  @Test func `modules.dep names the last to load first`() {
    let selection = ModuleSelection(["virtio_pci"]) { known[$0] }

    #expect(
      selection.dependencyTable == """
        virtio.ko:
        virtio_pci.ko: virtio_ring.ko virtio.ko
        virtio_ring.ko: virtio.ko

        """)
  }

  @Test func `modules that need each other do not go round for ever`() {
    let selection = ModuleSelection(["egg"]) { known[$0] }

    #expect(selection.closure(of: "egg") == ["chicken"])
  }

  @Test func `modules.alias gives the disk driver to whoever has the controller`() {
    let selection = ModuleSelection(["ahci", "sd_mod", "virtio_pci"]) { known[$0] }

    #expect(
      selection.aliasTable == """
        alias pci:v*bc01sc06i01* ahci
        alias pci:v*bc01sc06i01* sd_mod
        alias scsi:t-0x00* sd_mod
        alias pci:v00001AF4d* virtio_pci
        alias pci:v00001B36d* virtio_pci

        """)
  }
}
