// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import HostTools
package import SystemPackage

/// Where a medium goes: a file, a folder with some files, or a whole device, as its format has it.
package struct MediumPlace {
  let format: BootFormat
  let place: OutputPlace
  private let inputs: InputFiles

  /// Looks at a place, so that what cannot be is said before anything long is begun.
  /// - Parameter inputs: What the medium is made of.
  package init(_ path: FilePath, for format: BootFormat, besides inputs: InputFiles) throws(OutputProblem) {
    self.format = format
    self.inputs = inputs
    place = try OutputPlace(path)
    try check()
    // Opened and closed: whether it may be written, and by nobody else.
    if isDevice { _ = try OutputDevice(place) }
  }

  /// Whether a whole device is to be written.
  var isDevice: Bool { place.occupant == .blockDevice }

  /// A folder on the file system that the medium goes to.
  var folder: FilePath { place.occupant == .folder ? place.path : place.path.removingLastComponent() }

  /// The file `name` of the medium's folder.
  func member(_ name: String) throws(OutputProblem) -> OutputPlace { try OutputPlace(place.path.appending(name)) }

  private func check() throws(OutputProblem) {
    try place.requireNoInput(inputs)
    guard format.files.isEmpty else {
      try place.requireFolder()
      for name in format.files { try member(name).requireFile(besides: inputs) }
      return
    }
    guard isDevice, format.fillsDevice else { return try place.requireFile(besides: inputs) }
    if place.isPartition { throw .isPartition(place.name) }
  }
}

extension BootFormat {
  /// The files of the folder that this makes; none if it makes one file.
  var files: [String] {
    switch self {
    case .kernel: ["kernel", "image"]
    case .pxe: ["kernel", "system", "material", GRUBScript.file, "boot.ipxe", "grub.pxe", "grub.efi"]
    case .image, .system, .iso, .usb: []
    }
  }

  /// Whether firmware starts a device that has this from its first byte on.
  fileprivate var fillsDevice: Bool { self == .iso || self == .usb }
}
