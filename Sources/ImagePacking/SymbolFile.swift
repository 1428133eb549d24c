// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI

/// Makes the symbol table that the kernel names functions by.
enum SymbolFile {
  /// The `SymbolTable` of an ELF file; `nil` if the file has no functions to name.
  static func make(from elf: ELFFile) throws(ELFFileError) -> [UInt8]? {
    let functions = distinct(try elf.functions())
    guard !functions.isEmpty else { return nil }
    var records: [UInt8] = []
    var names: [UInt8] = []
    for (index, function) in functions.enumerated() {
      let name = Array(SymbolName.readable(function.name).utf8)
      let next = index + 1 < functions.count ? functions[index + 1].address : function.limit
      // Assembly does not say how long its functions are: they reach to the next.
      let end = max(min(next, function.limit), function.address)
      let size = function.size > 0 ? function.size : end - function.address
      records.append(
        record: SymbolRecord(
          address: function.address, size: UInt32(clamping: size), nameOffset: UInt32(names.count),
          nameCount: UInt32(name.count)))
      names += name
    }
    let namesOffset = MemoryLayout<SymbolHeader>.size + records.count
    var file: [UInt8] = []
    file.append(record: SymbolHeader(count: UInt32(functions.count), namesOffset: UInt32(namesOffset)))
    return file + records + names
  }

  /// One function for each address, in the order of addresses: of several the one that says most.
  private static func distinct(_ functions: [ELFFile.Function]) -> [ELFFile.Function] {
    let sorted = functions.sorted {
      ($0.address, $1.size, $1.isGlobal ? 1 : 0, $0.name) < ($1.address, $0.size, $0.isGlobal ? 1 : 0, $1.name)
    }
    return sorted.enumerated().compactMap { index, function in
      index > 0 && sorted[index - 1].address == function.address ? nil : function
    }
  }
}
