// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

/// A field of the setup header or of `boot_params`, which have it at the same offset (Linux, boot protocol 2.15).
struct BootField<Value: FixedWidthInteger & BitwiseCopyable> {
  let offset: Int
  init(_ offset: Int) { self.offset = offset }
}

extension BootField<UInt8> {
  static var e820Count: Self            { Self(0x1e8) }   // e820_entries
  static var setupSectors: Self         { Self(0x1f1) }   // setup_sects         0 means 4
  static var jumpDistance: Self         { Self(0x201) }   // jump, second byte   the header ends this far from 0x202
  static var loaderType: Self           { Self(0x210) }   // type_of_loader
  static var loadFlags: Self            { Self(0x211) }   // loadflags
  static var isRelocatable: Self        { Self(0x234) }   // relocatable_kernel
}

extension BootField<UInt16> {
  static var videoMode: Self            { Self(0x1fa) }   // vid_mode
  static var bootFlag: Self             { Self(0x1fe) }   // boot_flag           0xAA55
  static var version: Self              { Self(0x206) }   // version             major in the high byte
  static var extendedLoadFlags: Self    { Self(0x236) }   // xloadflags          from 2.12
}

extension BootField<UInt32> {
  static var paragraphs: Self           { Self(0x1f4) }   // syssize             protected-mode code, in 16 bytes
  static var magic: Self                { Self(0x202) }   // header              "HdrS"
  static var initrdAddress: Self        { Self(0x218) }   // ramdisk_image
  static var initrdSize: Self           { Self(0x21c) }   // ramdisk_size
  static var commandLine: Self          { Self(0x228) }   // cmd_line_ptr
  static var initrdLastAddress: Self    { Self(0x22c) }   // initrd_addr_max
  static var alignment: Self            { Self(0x230) }   // kernel_alignment
  static var commandLineLimit: Self     { Self(0x238) }   // cmdline_size        from 2.06, without the final zero
  static var payloadOffset: Self        { Self(0x248) }   // payload_offset      from 2.08, from the code's start
  static var payloadSize: Self          { Self(0x24c) }   // payload_length      from 2.08
  static var runtimeSize: Self          { Self(0x260) }   // init_size           from 2.10
}

extension BootField<UInt64> {
  static var rsdp: Self                 { Self(0x070) }   // acpi_rsdp_addr      from 2.14, ignored before
  static var preferredAddress: Self     { Self(0x258) }   // pref_address        from 2.10
}

/// `loadflags`.
struct LoadFlags: Flags {
  let rawValue: UInt8
  static var loadedHigh: Self           { .bit(0) }       // LOADED_HIGH         a bzImage, for 1 MiB and up
  static var isRandomlyPlaced: Self     { .bit(1) }       // KASLR_FLAG          told to the kernel by what unpacked it
}

/// `xloadflags`.
struct ExtendedLoadFlags: Flags {
  let rawValue: UInt16
  static var kernel64: Self             { .bit(0) }       // XLF_KERNEL_64       has a 64-bit entry
}
