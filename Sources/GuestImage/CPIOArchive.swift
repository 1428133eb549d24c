// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// The "newc" format of cpio, which the kernel unpacks an initial RAM disk from
// (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).

/// One entry of a file tree, as the guest will see it.
package struct CPIOEntry: Equatable, Sendable {
  package enum Content: Equatable, Sendable {
    case directory
    case file([UInt8])
    case symbolicLink(to: String)
    case characterDevice(major: UInt32, minor: UInt32)
  }

  /// The path from the root, with no slash before it.
  package var path: String
  /// The permission bits.
  package var permissions: UInt32
  package var content: Content

  package init(_ path: String, _ permissions: UInt32, _ content: Content) {
    self.path = path
    self.permissions = permissions
    self.content = content
  }
}

/// A cpio archive. The same entries always give the same bytes: sorted by path, owned by root, dated 1970.
package struct CPIOArchive: Sendable {
  private var entries: [String: CPIOEntry] = [:]

  package init() {}

  /// Adds an entry, and the directories on the way to it; an entry of the same path is replaced.
  package mutating func add(_ entry: CPIOEntry) {
    var parent = entry.path
    while let slash = parent.lastIndex(of: "/") {
      parent = String(parent[..<slash])
      if entries[parent] == nil { entries[parent] = CPIOEntry(parent, 0o755, .directory) }
    }
    entries[entry.path] = entry
  }

  /// The archive; its size is a multiple of 4.
  package var bytes: [UInt8] {
    var writer = CPIOWriter()
    // A directory sorts before what is in it, which is the order the kernel needs.
    for path in entries.keys.sorted() {
      if let entry = entries[path] { writer.write(entry) }
    }
    writer.finish()
    return writer.bytes
  }
}

private struct CPIOWriter {
  private(set) var bytes: [UInt8] = []
  private var inode: UInt32 = 0

  private enum Kind {
    static let directory: UInt32 = 0o040000
    static let file: UInt32 = 0o100000
    static let symbolicLink: UInt32 = 0o120000
    static let characterDevice: UInt32 = 0o020000
  }

  mutating func write(_ entry: CPIOEntry) {
    inode += 1
    switch entry.content {
    case .directory:
      append(entry.path, mode: Kind.directory | entry.permissions, links: 2)
    case .file(let data):
      append(entry.path, mode: Kind.file | entry.permissions, data: data)
    case .symbolicLink(let target):
      append(entry.path, mode: Kind.symbolicLink | 0o777, data: Array(target.utf8))
    case .characterDevice(let major, let minor):
      append(entry.path, mode: Kind.characterDevice | entry.permissions, device: (major, minor))
    }
  }

  mutating func finish() {
    inode = 0
    append("TRAILER!!!", mode: 0)
  }

  private mutating func append(
    _ path: String, mode: UInt32, links: UInt32 = 1, data: [UInt8] = [], device: (major: UInt32, minor: UInt32) = (0, 0)
  ) {
    bytes += Array("070701".utf8)
    let owner: UInt32 = 0
    let date: UInt32 = 0
    // ino mode uid gid nlink mtime filesize maj min rmaj rmin namesize chksum
    for field in [
      inode, mode, owner, owner, links, date, UInt32(data.count), 0, 0, device.major, device.minor,
      UInt32(path.utf8.count + 1), 0,
    ] {
      let digits = String(field, radix: 16, uppercase: true)
      bytes += Array((String(repeating: "0", count: 8 - digits.count) + digits).utf8)
    }
    bytes += Array(path.utf8) + [0]
    align()
    bytes += data
    align()
  }

  private mutating func align() {
    bytes.append(contentsOf: repeatElement(0, count: -bytes.count & 3))
  }
}
