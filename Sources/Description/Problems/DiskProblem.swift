// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with disks and what VMs have of them.
package enum DiskProblem: Equatable, Sendable {
  case tooManyDisks(count: Int)
  /// `kind` is what has the name too: a VM, or a switch.
  case sameName(String, kind: String, line: Int)
  case badAddress(String)
  case repeatedController(String, disk: String, firstLine: Int)
  /// A key that a disk with this driver does not have.
  case keyOfOtherDriver(key: String, driver: String, other: String)
  case noFile(String)
  case emptyImage(String)
  case unevenImage(String, size: Int)
  case largeImage(String, size: Int)
  case tooManyShares(machine: String, count: Int)
  case tooManyClients(String)
  case unknownDisk(String, nearest: String?, known: [String])
  case severalParts(first: String, second: String)
  case longPartitionName(String)
  case badIdentifier(String)
  /// `part` of the disk is the VM's of `owner` too, and one of the two may write.
  case taken(part: String, owner: String, firstLine: Int)
  case writableImage(String)
  case badRate(String)
  case rateOutOfRange(String)
  case badSerial(String)

  var message: String {
    switch self {
    case .tooManyDisks, .sameName, .badAddress, .repeatedController, .keyOfOtherDriver, .noFile, .emptyImage,
      .unevenImage, .largeImage:
      diskMessage
    default: shareMessage
    }
  }

  private var diskMessage: String {
    switch self {
    case .tooManyDisks(let count):
      "there are \(count) disks, but \(Limits.disks) are the most; remove \(count - Limits.disks)"
    case .sameName(let name, let kind, let line):
      "\(quoted: name) is also the name of the \(kind) in line \(line); rename one of the two"
    case .badAddress(let text):
      "\(quoted: text) is not a PCI address; write bus, device and function as `lspci` shows them, like 00:11.5"
    case .repeatedController(let address, let disk, let line):
      "\(address) is already the controller of disk \(quoted: disk) in line \(line); describe one disk for both"
    case .keyOfOtherDriver(let key, let driver, let other):
      "\(quoted: key) is for disks with `driver: \(other)`; leave it out, or change 'driver' from \(driver)"
    case .noFile(let name): "disk \(quoted: name) has no 'file'; name the image file, like `file: tools.img`"
    case .emptyImage(let path): "\(quoted: path) is empty; name the image of a disk"
    case .unevenImage(let path, let size):
      "\(quoted: path) has \(size) bytes, which are no whole sectors of 512; name the image of a disk"
    case .largeImage(let path, let size):
      "\(quoted: path) has \(size: UInt64(size)), but a boot image has room for \(size: UInt64(Limits.imageSize)); "
        + "use a smaller one"
    default: ""
    }
  }

  private var shareMessage: String {
    switch self {
    case .tooManyShares(let machine, let count):
      "VM \(quoted: machine) has \(count) disks, but \(Limits.shares) are the most; remove \(count - Limits.shares)"
    case .tooManyClients(let name):
      "disk \(quoted: name) is shared by \(Limits.clients) already, which are the most; use another disk"
    case .unknownDisk(let name, let nearest?, _): "there is no disk \(quoted: name); did you mean '\(nearest)'?"
    case .unknownDisk(let name, nil, let known): unknown(name, known)
    case .severalParts(let first, let second):
      "'\(first)' and '\(second)' both say which part is meant; keep one of the two"
    case .longPartitionName(let name):
      "no partition can be called \(quoted: name), since their names have at most 36 characters; correct it"
    case .badIdentifier(let text):
      "\(quoted: text) is not a PARTUUID; write it as `lsblk -o PARTUUID` shows it, like 1b2f4c1e-02"
    case .taken(let part, let owner, let line):
      "\(part) is already \(owner) in line \(line); choose another, or make both `read-only: true`"
    case .writableImage(let name):
      "disk \(quoted: name) is an image file, which can only be read; leave 'read-only' out"
    case .badRate(let text):
      "\(quoted: text) is not a rate; write a whole number and kB/s, MB/s or GB/s, like `20 MB/s`"
    case .rateOutOfRange(let text):
      "\(quoted: text) cannot be kept to; give from 64 kB/s to 100 GB/s, or leave 'rate' out for no limit"
    case .badSerial(let text):
      "\(quoted: text) cannot be a serial number; use 1 to \(Limits.serial) characters of printable ASCII"
    default: ""
    }
  }

  private func unknown(_ name: String, _ known: [String]) -> String {
    guard !known.isEmpty else {
      return "there is no disk \(quoted: name); describe it at the top, like `disks: { sata0: { driver: ahci } }`"
    }
    let names = Problem.list(known.map { "'\($0)'" }, last: "and")
    return "there is no disk \(quoted: name); "
      + (known.count == 1 ? "the only one is \(names)" : "the disks are \(names)")
  }
}
