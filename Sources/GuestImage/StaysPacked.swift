// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import HostTools

/// Why a kernel stays as its file has it, and unpacks itself in the guest.
package enum StaysPacked: Error, Equatable, CustomStringConvertible {
  /// Only 32-bit kernels are unpacked.
  case is64Bit
  /// It is no bzImage of Linux 2.6.31 (protocol 2.10) or newer: the header does not say what is needed.
  case oldHeader
  /// The header does not say where the kernel is, or not rightly.
  case noPayload
  case unknownCompression
  /// It says it is larger than the memory it asks for, or asks for more than a kernel can have.
  case badSize
  /// The tool that unpacks it is missing, or refused it.
  case tool(ToolFailure)
  /// A file of the cache cannot be written.
  case file(String)
  /// What came out is not as large as it said.
  case wrongSize
  /// What came out is no program for a 32-bit x86.
  case notELF
  /// Its segments lie outside the file, over each other, or not where the header has them.
  case badSegments
  case badEntry
  case badRelocations

  /// Whether a person can do something about it, or should know that the kernel is odd.
  package var isWorthKnowing: Bool { self != .is64Bit && self != .oldHeader }

  package var description: String {
    switch self {
    case .is64Bit: "it is a 64-bit kernel"
    case .oldHeader: "it is older than Linux 2.6.31"
    case .noPayload: "its header does not say where in the file the kernel is"
    case .unknownCompression: "it is packed in a way that is not known here"
    case .badSize: "it asks for more memory than a kernel can have, or for less than it unpacks to"
    case .tool(let failure): failure.description
    case .file(let text): text
    case .wrongSize: "it unpacks to another size than it says"
    case .notELF: "what it unpacks to is no ELF file for a 32-bit x86"
    case .badSegments: "the segments of its ELF file lie where they cannot"
    case .badEntry: "its entry lies outside its segments"
    case .badRelocations: "its relocations lie outside its segments, or have no end"
    }
  }
}
