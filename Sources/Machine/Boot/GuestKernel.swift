// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// A guest's kernel in one of its two forms, checked.
package enum GuestKernel: Equatable, Sendable {
  /// A bzImage, which unpacks itself in the guest.
  case packed(LinuxKernel)
  /// A kernel that `roost` unpacked when it built the boot image.
  case unpacked(UnpackedKernel)

  /// Checks a file, whose first bytes say which form it has.
  package init(inspecting file: borrowing RawSpan) throws(LinuxBootError) {
    if let kernel = try UnpackedKernel(inspecting: file) {
      self = .unpacked(kernel)
    } else {
      self = .packed(try LinuxKernel(inspecting: file, fileSize: UInt64(file.byteCount)))
    }
  }

  /// What the kernel's setup header says.
  package var setup: LinuxKernel {
    switch self {
    case .packed(let kernel): kernel
    case .unpacked(let kernel): kernel.setup
    }
  }

  /// Where in the file the setup header's sector begins.
  var setupOffset: UInt64 {
    switch self {
    case .packed: 0
    case .unpacked: UnpackedKernelHead.setupOffset
    }
  }

  /// The 32-bit entry, from where the kernel lies.
  var entry: UInt64 {
    switch self {
    case .packed: 0
    case .unpacked(let kernel): UInt64(kernel.head.entry)
    }
  }

  /// Bytes of memory the kernel needs from where it lies before it reads the memory map.
  var runtimeSize: UInt64 {
    switch self {
    case .packed(let kernel): kernel.runtimeSize
    case .unpacked(let kernel): max(kernel.setup.runtimeSize, UInt64(kernel.head.memorySize))
    }
  }

  /// Whether it runs at another place than the one it asks for.
  var isMovable: Bool {
    switch self {
    case .packed(let kernel): kernel.isRelocatable
    case .unpacked(let kernel): kernel.head.relocationCount > 0
    }
  }

  /// Puts the kernel at `base`, where the caller saw `runtimeSize` bytes fit.
  func write(from file: borrowing RawSpan, at base: UInt64, to memory: GuestMemory) throws(LinuxBootError) {
    switch self {
    case .packed(let kernel):
      guard let code = file.slice(Int(kernel.codeOffset), count: Int(kernel.codeSize)) else { throw .truncated }
      do throws(GuestMemoryError) { try memory.write(code, at: GuestAddress(base)) } catch { throw .kernelTooBig }
    case .unpacked(let kernel):
      try kernel.write(from: file, at: base, to: memory)
    }
  }
}
