// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The modules of a kernel that a guest gets: those named, and all that they need.
package struct ModuleSelection: Sendable {
  /// The drivers a guest may need: paravirtual devices, VLANs, common network cards to pass
  /// through, packet filters and address translation for gateways, disks, USB, file systems, the power button.
  package static let names = [
    "virtio_pci", "virtio_net", "virtio_blk", "virtio_console", "vmw_vsock_virtio_transport", "8021q",
    "e1000", "e1000e", "igb", "igc", "ixgbe", "i40e", "r8169", "8139too", "8139cp", "tg3",
    "iptable_filter", "iptable_nat", "xt_MASQUERADE", "xt_nat", "xt_conntrack", "xt_tcpudp",
    "ahci", "nvme", "xhci_pci", "usb_storage", "sd_mod", "ext4", "vfat", "nls_ascii", "nls_cp437", "crc32c_generic",
    "button",
  ]

  /// Modules that must be there when another has found its devices, which appear too late for the search at boot.
  static let companions = ["ahci": ["sd_mod"], "xhci_pci": ["usb_storage", "sd_mod"]]

  /// The chosen modules, by name.
  package private(set) var modules: [String: ModuleInformation] = [:]

  /// Takes the modules `names` and everything that they need.
  /// - Parameter read: Tells what a module says of itself; `nil` for one that the kernel has not (or has built in).
  package init<Failure: Error>(
    _ names: [String], read: (String) throws(Failure) -> ModuleInformation?
  ) throws(Failure) {
    var pending = names
    while let name = pending.popLast() {
      guard modules[name] == nil, let information = try read(name) else { continue }
      modules[name] = information
      pending += information.dependencies
    }
  }

  /// All that a module needs, each module before those it needs itself, as modules.dep has it.
  package func closure(of name: String) -> [String] {
    var found: [String] = []
    func visit(_ name: String, comingFrom path: [String]) {
      for dependency in modules[name]?.dependencies ?? []
      where modules[dependency] != nil && !path.contains(dependency) {
        // Whoever is needed again is needed sooner: modprobe loads from the end of the line.
        found.removeAll { $0 == dependency }
        found.append(dependency)
        visit(dependency, comingFrom: path + [dependency])
      }
    }
    visit(name, comingFrom: [name])
    return found
  }

  /// The file modules.dep: for each module the modules it needs.
  package var dependencyTable: String {
    modules.keys.sorted().map { name in
      "\(name).ko:" + closure(of: name).map { " \($0).ko" }.joined() + "\n"
    }.joined()
  }

  /// The file modules.alias: for each device the modules that drive it.
  package var aliasTable: String {
    modules.keys.sorted().map { name in
      let drivers = [name] + (Self.companions[name] ?? []).filter { modules[$0] != nil }
      return (modules[name]?.aliases ?? []).map { alias in
        drivers.map { "alias \(alias) \($0)\n" }.joined()
      }.joined()
    }.joined()
  }
}
