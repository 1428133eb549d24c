// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Description

/// Makes the boot image of a system.
///
/// Domain 0 is the console, domain n + 1 the VMM of VM n; the switches come after the last VMM, the
/// disk servers after the last switch. Console slot n is
/// channel slot `VMMConfiguration.consoleSlot` of that VMM.
package enum ImagePacker {
  /// The kernel as boot loaders want it: without what only debuggers read, so that it does not depend on where it was
  /// built.
  package static func bootable(kernel: [UInt8]) throws(PackingError) -> [UInt8] {
    do throws(ELFFileError) {
      return try ELFFile(kernel).stripped(notes: true)
    } catch {
      throw .badProgram("kernel", error)
    }
  }

  /// Packs a system.
  /// - Parameters:
  ///   - guests: What each VM boots, in the order of the system's machines.
  ///   - diskImages: The contents of those disks that are image files, in their order.
  /// - Precondition: there are as many `guests` as machines, and `diskImages` as image files.
  /// - Returns: The image; the same bytes for the same input.
  package static func pack(
    _ system: System, programs: Programs, guests: [GuestBoot], diskImages: [[UInt8]] = []
  ) throws(PackingError) -> PackedImage {
    precondition(guests.count == system.machines.count)
    precondition(diskImages.count == system.disks.count { $0.source.isImage })
    var layout = SystemLayout(system)
    try layout.addPrograms(programs)
    layout.addConsole()
    for (number, machine) in system.machines.enumerated() {
      try layout.add(machine, number: number, boot: guests[number])
    }
    for (number, virtualSwitch) in system.switches.enumerated() { layout.add(virtualSwitch, number: number) }
    var images = diskImages.makeIterator()
    for (number, disk) in system.disks.enumerated() {
      layout.add(disk, number: number, image: disk.source.isImage ? images.next() : nil)
    }
    return try layout.builder.image()
  }
}
