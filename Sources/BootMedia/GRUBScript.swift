// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What GRUB is told to do; the same on all media.
///
/// The script that is part of GRUB's own image finds the medium's folder and leaves the rest to a file there, which
/// people can edit. `prefix` is GRUB's own variable for that folder.
enum GRUBScript {
  /// The folder of Roost's files on discs and sticks.
  static let folder = "roost"
  /// The name of the file that people can edit.
  static let file = "grub.cfg"

  /// For discs and sticks, whose firmware may show GRUB another part than the one it is to read.
  static func first(marker: String) -> String {
    """
    search.file /\(folder)/\(marker) root
    set prefix=($root)/\(folder)
    configfile $prefix/\(file)

    """
  }

  /// For the network, where GRUB's own file lies in the folder of the others.
  static let firstByNetwork = "configfile $prefix/\(file)\n"

  /// Loads kernel and image, and says so on the screen and on the console's serial port.
  static func second(_ contents: BootContents) -> String {
    """
    serial \(contents.serialPort.option) --speed=\(contents.baud)
    terminal_output console serial
    echo "Roost: loading \(contents.name)"
    if [ "$grub_platform" = efi ]; then
      echo "UEFI leaves no text screen: from here on look at the serial port."
    fi
    multiboot2 $prefix/kernel
    module2 $prefix/system
    module2 $prefix/material
    boot

    """
  }

  /// For iPXE, which hands over to GRUB, since it does not start kernels of this kind by itself.
  static let network = """
    #!ipxe
    iseq ${platform} efi && chain grub.efi || chain grub.pxe

    """
}

extension LoaderPort {
  /// The option of GRUB's `serial`.
  fileprivate var option: String {
    switch self {
    case .unit(let number): "--unit=\(number)"
    case .address(let port): "--port=0x\(String(port, radix: 16))"
    }
  }
}
