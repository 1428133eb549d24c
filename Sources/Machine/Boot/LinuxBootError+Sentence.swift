// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

extension LinuxBootError {
  /// The sentence that people read.
  package var sentence: StaticString {
    switch self {
    case .truncated: "the kernel file is cut off"
    case .notLinux: "the kernel file is no Linux kernel for x86"
    case .oldProtocol: "the kernel is older than Linux 2.6.22"
    case .notLoadedHigh: "the kernel file is a zImage, not a bzImage"
    case .badHeader: "the kernel file's setup header contradicts itself"
    case .commandLineTooLong: "the command line is longer than the kernel takes"
    case .kernelTooBig: "the kernel does not fit the guest's memory"
    case .kernelStaysPut: "the kernel cannot be moved to where the guest has memory for a device behind no IOMMU"
    case .initrdTooBig: "the initial RAM disk does not fit the guest's memory"
    case .badMemorySize: "the guest's memory has an impossible size"
    case .otherForm: "the unpacked kernel was made by another version of Roost; build the boot image anew"
    case .badUnpackedKernel: "the head of the unpacked kernel contradicts itself"
    case .badBlock: "a block of the unpacked kernel is damaged"
    case .badRelocation: "a relocation of the unpacked kernel lies outside its image"
    }
  }
}
