// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import ArgumentParser
import Bits
import Description
import DiskImage
import Emulator
import HostTools
import Storage
import SystemPackage

/// What `--disk` says: the file that stands for a disk of the system.
struct DiskFile: ExpressibleByArgument {
  var name: String
  var path: String

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
    (name, path) = (parts[0], parts[1])
  }
}

/// The drives of the emulated computer: one file for each disk of the system, made when it is first needed.
struct DiskFiles {
  let system: System
  /// What the system is made of.
  let inputs: InputFiles
  let project: Project
  let reporter: Reporter

  /// The drives, with their files in place.
  /// - Parameter given: Files for disks by their name; a disk that is not named has one in the cache.
  func drives(_ given: [DiskFile]) throws(Failure) -> [EmulatedDrive] {
    for file in given where !system.disks.contains(where: { $0.name == file.name && !$0.source.isImage }) {
      throw .environment("--disk \(file.name)=…: the system has no drive that is called '\(file.name)'")
    }
    var drives: [EmulatedDrive] = []
    for (index, disk) in system.disks.enumerated() {
      guard case .ahci(let address, _) = disk.source else { continue }
      if let address, address.bus != 0 || address.segment != 0 {
        throw .environment("disk '\(disk.name)': the emulator has controllers on bus 00 alone")
      }
      let path = given.last { $0.name == disk.name }?.path ?? ownPath(of: disk)
      try make(path, for: index)
      drives.append(
        EmulatedDrive(
          path: path, serial: disk.name, place: address.map { (Int($0.device), Int($0.function)) }))
    }
    return drives
  }

  private func ownPath(of disk: Disk) -> String {
    project.cache.appending("disks/\(system.name)-\(disk.name).img").string
  }

  /// Makes an empty disk with the partitions that the VMs want, unless there is one, which the emulator will write to.
  private func make(_ path: String, for disk: Int) throws(Failure) {
    let name = system.disks[disk].name
    do {
      let place = try OutputPlace(FilePath(path))
      if place.occupant == .blockDevice {
        _ = try OutputDevice(place)
      } else {
        try place.requireFile(besides: inputs)
      }
      guard place.occupant == .nothing else { return reporter.step("disk", "\(name) is \(path)") }
      let new = NewDisk(partitions: partitions(of: disk), signature: UInt32.random(in: 1...UInt32.max))
      let file = try OutputFile.create(place)
      defer { try? file.close() }
      try file.resize(to: Int64(new.size))
      for piece in new.contents { try file.writeAll(toAbsoluteOffset: Int64(piece.offset), piece.bytes) }
      reporter.step("disk", "\(name) is \(path), new, \(new.size >> 20) MiB")
    } catch let problem as OutputProblem {
      throw .environment("disk '\(name)': \(problem)")
    } catch {
      throw .environment("\(path) cannot be made: \(error)")
    }
  }

  /// The partitions that the VMs name, with numbers for those that are named otherwise.
  private func partitions(of disk: Int) -> [NewPartition] {
    var parts: [DiskPart] = []
    for share in system.machines.flatMap(\.disks) where share.disk == disk && !parts.contains(share.part) {
      parts.append(share.part)
    }
    var partitions: [NewPartition] = []
    for case .number(let number) in parts { partitions.append(NewPartition(number: number)) }
    for part in parts {
      let free = (1...128).first { number in !partitions.contains { $0.number == number } } ?? 128
      switch part {
      case .name(let name): partitions.append(NewPartition(number: free, name: name))
      case .uuid(let uuid):
        if let guid = GUID(uuid: uuid) { partitions.append(NewPartition(number: free, identifier: guid)) }
      case .whole, .number: break
      }
    }
    return partitions.sorted { $0.number < $1.number }
  }
}

extension GUID {
  fileprivate init?(uuid: String) {
    let bytes = [UInt8](uuid.utf8)
    // SAFETY: any bits are bytes.
    self.init(text: unsafe bytes.span.bytes)
  }
}
