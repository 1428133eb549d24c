// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
package import SystemPackage

/// What tells a file from all others of this computer, whatever it is called.
package struct FileIdentity: Hashable, Sendable {
  private let device: DeviceID
  private let inode: Inode

  init(_ stat: Stat) { (device, inode) = (stat.deviceID, stat.inode) }
}

/// The files that something is made of, none of which may be overwritten with the result.
package struct InputFiles: Sendable {
  private var names: [FileIdentity: String] = [:]

  /// No files.
  package init() {}

  /// Adds a file, if there is one, under the name that messages give it.
  package mutating func add(_ path: FilePath, as name: String) {
    if let stat = try? Stat(path) { names[FileIdentity(stat)] = name }
  }

  /// What messages call a file; `nil` if it is none of these.
  func name(of identity: FileIdentity) -> String? { names[identity] }
}

/// A place for what the tool writes, looked at before anything is written: symbolic links are followed to where they
/// lead, and what is there is known. Every file that the tool writes gets its place here, and is written by
/// `OutputFile` or `OutputDevice`.
package struct OutputPlace: Sendable {
  /// What there is now.
  package enum Occupant: Equatable, Sendable {
    case nothing
    case file
    case folder
    case blockDevice
    case special(SpecialFile)
  }

  /// Links are followed this often, as Linux does (path_resolution(7)).
  private static let mostLinks = 40

  /// The place as a person wrote it.
  package let name: String
  /// The place itself: no symbolic link.
  package let path: FilePath
  package let occupant: Occupant
  /// Whether it is a part of a block device, and not the whole.
  package let isPartition: Bool
  private let identity: FileIdentity?

  /// Looks at a place.
  package init(_ path: FilePath) throws(OutputProblem) {
    name = path.string
    do {
      let stat = try Stat(path)
      occupant = Occupant(stat.type)
      identity = FileIdentity(stat)
      isPartition = occupant == .blockDevice && Self.isPartition(UInt64(stat.specialDeviceID.rawValue))
    } catch .noSuchFileOrDirectory {
      (occupant, identity, isPartition) = (.nothing, nil, false)
    } catch {
      throw .unusable(path.string, error)
    }
    // A device is opened by any of its names; the rest is not opened at all.
    switch occupant {
    case .nothing, .file, .folder: self.path = try Self.end(of: path)
    case .blockDevice, .special: self.path = path
    }
  }

  /// Whether Linux says so of a block device's number: 12 bits of the major one above 8 of the minor one, and the rest.
  private static func isPartition(_ device: UInt64) -> Bool {
    let major = device >> 8 & 0xfff | device >> 32 & 0xffff_f000
    let minor = device & 0xff | device >> 12 & 0xffff_ff00
    return FileManager.default.fileExists(atPath: "/sys/dev/block/\(major):\(minor)/partition")
  }

  /// Where a chain of links ends, be there something or not.
  private static func end(of start: FilePath) throws(OutputProblem) -> FilePath {
    var path = start
    for _ in 0...mostLinks {
      guard (try? Stat(path, followTargetSymlink: false))?.type == .symbolicLink else { return path }
      guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path.string) else { break }
      path = path.removingLastComponent().pushing(FilePath(target))
    }
    throw .unusable(start.string, .tooManySymbolicLinkLevels)
  }

  /// Throws unless a file may be put here.
  /// - Parameter inputs: What it is made of.
  package func requireFile(besides inputs: InputFiles = InputFiles()) throws(OutputProblem) {
    try requireNoInput(inputs)
    switch occupant {
    case .nothing, .file: break
    case .folder: throw .isFolder(name)
    case .blockDevice: throw .isDevice(name)
    case .special(let kind): throw .isSpecial(name, kind)
    }
  }

  /// Throws if this is one of those files.
  package func requireNoInput(_ inputs: InputFiles) throws(OutputProblem) {
    if let identity, let input = inputs.name(of: identity) { throw .isInput(name, input) }
  }

  /// Throws unless a socket may be put here, in place of an old one.
  package func requireSocket() throws(OutputProblem) {
    guard occupant == .nothing || occupant == .special(.socket) else { throw .isNoSocket(name) }
  }

  /// Throws unless files may be put into a folder here.
  package func requireFolder() throws(OutputProblem) {
    guard occupant == .nothing || occupant == .folder else { throw .isNoFolder(name) }
  }
}

extension OutputPlace.Occupant {
  fileprivate init(_ type: FileType) {
    self =
      switch type {
      case .regular: .file
      case .directory: .folder
      case .blockSpecial: .blockDevice
      case .fifo: .special(.pipe)
      case .socket: .special(.socket)
      default: .special(.characterDevice)
      }
  }
}
