// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import ABI
import Testing

/// How a record lies in memory: what the host writes and the target reads, or two domains share.
struct RecordLayout: Sendable, CustomTestStringConvertible {
  let name: String
  let size: Int
  let stride: Int
  let alignment: Int
  let offsets: [(field: String, found: Int?, expected: Int)]

  init<T>(_ type: T.Type, size: Int, alignment: Int, _ fields: [(PartialKeyPath<T>, Int)]) {
    name = "\(type)"
    self.size = size
    self.alignment = alignment
    stride = MemoryLayout<T>.stride
    offsets = fields.map { ("\($0.0)", MemoryLayout<T>.offset(of: $0.0), $0.1) }
      + [("size", MemoryLayout<T>.size, size), ("alignment", MemoryLayout<T>.alignment, alignment)]
  }

  var testDescription: String { name }
}

extension RecordLayout {
  /// The records of a boot image.
  static var bootImage: [Self] {
    [
      Self(BootHeader.self,        size: 208, alignment: 8, [(\.magic,    0), (\.version, 8), (\.onPanic, 12), (\.threads, 14), (\.size, 16), (\.tables, 24), (\.name, 168),
                                                             (\.systemSize, 192), (\.material, 200)]),
      Self(MaterialHeader.self,    size: 16,  alignment: 8, [(\.magic,    0), (\.mark,   8)]),
      Self(TableExtent.self,       size: 16,  alignment: 8, [(\.offset,   0), (\.count,   8)]),
      Self(FileRecord.self,        size: 40,  alignment: 8, [(\.name,     0), (\.offset, 24), (\.size,   32)]),
      Self(DomainRecord.self,      size: 40,  alignment: 4, [(\.name,     0), (\.program, 24), (\.symbols, 28), (\.core, 32),
                                                             (\.priority, 34), (\.traits, 35), (\.onCrash, 36)]),
      Self(RegionRecord.self,      size: 16,  alignment: 8, [(\.kind,     0), (\.file,    4), (\.size,    8)]),
      Self(MappingRecord.self,     size: 24,  alignment: 8, [(\.domain,   0), (\.region,  4), (\.address, 8), (\.isWritable, 16)]),
      Self(GuestMappingRecord.self, size: 24, alignment: 8, [(\.domain,   0), (\.region,  4), (\.address, 8), (\.isOverlay, 16)]),
      Self(ChannelRecord.self,     size: 12,  alignment: 4, [(\.firstDomain, 0), (\.secondDomain, 4), (\.firstSlot, 8), (\.secondSlot, 10)]),
      Self(PortRecord.self,        size: 8,   alignment: 4, [(\.domain,   0), (\.first,   4), (\.count,   6)]),
      Self(InterruptRecord.self,   size: 12,  alignment: 4, [(\.domain,   0), (\.slot,    4), (\.isISA,   6), (\.source, 8)]),
      Self(DeviceRecord.self,      size: 28,  alignment: 4, [(\.domain,   0), (\.kind,    4), (\.address, 8), (\.isAny, 12), (\.memory, 16), (\.slot, 20),
        (\.isUnprotected, 22), (\.line, 24)]),
      Self(SymbolHeader.self,      size: 16,  alignment: 8, [(\.magic,    0), (\.count,   8), (\.namesOffset, 12)]),
      Self(SymbolRecord.self,      size: 24,  alignment: 8, [(\.address,  0), (\.size,    8), (\.nameOffset, 12), (\.nameCount, 16)]),
    ]
  }

  /// The files that components find at `AddressMap.configuration`.
  static var configuration: [Self] {
    [
      Self(VMMConfiguration.self,     size: 2568, alignment: 8, [(\.version, 0), (\.index, 4), (\.name, 8), (\.lowSize, 32), (\.highSize, 40),
                                                                 (\.kernelSize, 48), (\.initrdSize, 56), (\.deviceCount, 64), (\.passedCount, 68), (\.devices, 72), (\.commandLine, 520)]),
      Self(DeviceConfiguration.self,  size: 56,   alignment: 8, [(\.kind, 0), (\.channelSlot, 4), (\.address, 8), (\.mtu, 16), (\.hasNoOffload, 20),
                                                                 (\.queueCount, 24), (\.isOptional, 28), (\.name, 32)]),
      Self(SwitchConfiguration.self,  size: 9384, alignment: 8, [(\.version, 0), (\.portCount, 4), (\.name, 8), (\.ageing, 32), (\.ports, 40)]),
      Self(PortConfiguration.self,    size: 584,  alignment: 8, [(\.machine, 0), (\.machineNumber, 24), (\.card, 28), (\.lowSize, 32), (\.highSize, 40), (\.address, 48),
                                                                 (\.rate, 56), (\.mode, 64), (\.vlan, 66), (\.refusesForeignSource, 68), (\.trunk, 72)]),
      Self(ConsoleConfiguration.self, size: 688,  alignment: 8, [(\.version, 0), (\.port, 4), (\.count, 6), (\.baud, 8), (\.switchCount, 12), (\.machines, 16), (\.system, 656),
                                                                 (\.diskCount, 680)]),
      Self(DiskConfiguration.self,    size: 3504, alignment: 8, [(\.version, 0), (\.clientCount, 4), (\.name, 8), (\.controller, 32), (\.isAnyController, 36), (\.imageSize, 40), (\.clients, 48)]),
      Self(DiskClientConfiguration.self, size: 216, alignment: 8, [(\.machine, 0), (\.machineNumber, 24), (\.disk, 28), (\.lowSize, 32), (\.highSize, 40), (\.rate, 48),
                                                                 (\.selection, 56), (\.partition, 60), (\.isReadOnly, 64), (\.queueCount, 68), (\.isOptional, 72),
                                                                 (\.textCount, 76), (\.name, 80), (\.text, 104)]),
      Self(ConsoleMachine.self,       size: 40,   alignment: 8, [(\.name, 0), (\.domain, 24), (\.memory, 32)]),
    ]
  }

  /// Pages that kernel and components share while the machine runs.
  static var shared: [Self] {
    [
      Self(SystemInformation.self, size: 224,  alignment: 8, [(\.tscFrequency, 0), (\.tscAtWallClock, 8), (\.wallClock, 16), (\.scale, 24),
                                                              (\.supportedXCR0, 40), (\.coreCount, 48), (\.vendor, 52), (\.memoryOutsideGuests, 56), (\.guestBases, 64),
                                                              (\.sharesControllers, 192), (\.postsInterrupts, 196), (\.architecturalCapabilities, 200),
                                                              (\.passesPredictionCommand, 208), (\.passesFlushCommand, 212),
                                                              (\.speculationControl, 216)]),
      Self(TimeScale.self,         size: 16,   alignment: 8, [(\.multiplier, 0), (\.shift, 4), (\.frequency, 8)]),
      Self(DomainStatus.self,      size: 1280, alignment: 8, [(\.name, 0), (\.state, 24), (\.starts, 28), (\.core, 32), (\.startedAt, 40),
                                                              (\.ticks, 48), (\.guestTicks, 56), (\.kernelTicks, 64), (\.exits, 72),
                                                              (\.interruptExits, 80), (\.exitsByReason, 88), (\.notifications, 216),
                                                              (\.systemCalls, 224), (\.kicks, 232), (\.posted, 240), (\.traceCount, 248), (\.trace, 256)]),
      Self(ExitTrace.self,         size: 32,   alignment: 8, [(\.tsc, 0), (\.rip, 8), (\.subject, 16), (\.reason, 24), (\.access, 28)]),
      Self(LogRecord.self,         size: 120,  alignment: 4, [(\.sequence, 0), (\.level, 4), (\.count, 5), (\.source, 6), (\.text, 8)]),
      Self(LogHeader.self,         size: 8,    alignment: 4, [(\.newest, 0), (\.firstUnshown, 4)]),
      Self(VirtualCPUState.self,   size: 888,  alignment: 8, [(\.registers, 0), (\.rip, 128), (\.rflags, 136), (\.cr0, 144), (\.cr2, 152),
                                                              (\.cr3, 160), (\.cr4, 168), (\.cr8, 176), (\.efer, 184), (\.dr6, 192), (\.dr7, 200),
                                                              (\.pat, 208), (\.xcr0, 216), (\.tscOffset, 224), (\.segments, 232),
                                                              (\.segmentsChanged, 392), (\.overlay, 396), (\.interruptShadow, 400),
                                                              (\.injection, 404), (\.sleepSlack, 428), (\.sleepUntil, 432), (\.deadline, 440), (\.exit, 448), (\.kicks, 520),
                                                              (\.controller, 648), (\.posted, 752)]),
      Self(SharedController.self,  size: 104,  alignment: 8, [(\.isShared, 0), (\.isCurrent, 4), (\.requests, 8), (\.inService, 40), (\.noticedEnds, 72)]),
      Self(PostedMessages.self,    size: 136,  alignment: 4, [(\.haveChanged, 0), (\.vectors, 8)]),
      Self(KickRange.self,         size: 8,    alignment: 2, [(\.first, 0), (\.count, 2), (\.slot, 4)]),
      Self(DeviceDescription.self, size: 80,   alignment: 8, [(\.state, 0), (\.configurationSize, 4), (\.features, 8), (\.configuration, 16)]),
      Self(GeneralRegisters.self,  size: 128,  alignment: 8, [(\.words, 0)]),
      Self(Segment.self,           size: 16,   alignment: 8, [(\.selector, 0), (\.attributes, 2), (\.limit, 4), (\.base, 8)]),
      Self(Segments.self,          size: 160,  alignment: 8, [(\.es, 0), (\.cs, 16), (\.ss, 32), (\.ds, 48), (\.fs, 64), (\.gs, 80),
                                                              (\.gdtr, 96), (\.ldtr, 112), (\.idtr, 128), (\.tr, 144)]),
      Self(Injection.self,         size: 24,   alignment: 4, [(\.interrupt, 0), (\.wasTaken, 4), (\.exception, 8), (\.errorCode, 12), (\.nonMaskable, 16)]),
      Self(ExitInformation.self,   size: 72,   alignment: 8, [(\.reason, 0), (\.access, 4), (\.port, 8), (\.width, 10), (\.instructionCount, 11),
                                                              (\.addressSize, 12), (\.address, 16), (\.nextRIP, 24), (\.detail, 32),
                                                              (\.qualification, 40), (\.qualification2, 48), (\.instruction, 56)]),
    ]
  }

  /// Pages that servers share with VMMs, the console and the kernel.
  static var servers: [Self] {
    [
      Self(DeviceSetup.self,       size: 552,  alignment: 8, [(\.isLive, 0), (\.queueCount, 4), (\.features, 8), (\.queues, 16), (\.filter, 272), (\.hasWriteback, 544)]),
      Self(DeviceInformation.self, size: 560,  alignment: 8, [(\.version, 0), (\.isPresent, 4), (\.address, 8), (\.vendor, 12), (\.device, 14), (\.registersSize, 16),
                                                              (\.memoryAddress, 24), (\.memorySize, 32), (\.interruptSlot, 40), (\.interruptDelivery, 44), (\.guests, 48)]),
      Self(PassedDeviceInformation.self, size: 112, alignment: 8, [(\.isPresent, 0), (\.address, 4), (\.tableCount, 8), (\.canReset, 12), (\.ranges, 16)]),
      Self(PassedRange.self,       size: 16,   alignment: 8, [(\.kind, 0), (\.size, 8)]),
      Self(GuestPlace.self,        size: 32,   alignment: 8, [(\.low, 0), (\.high, 8), (\.lowSize, 16), (\.lowBase, 24)]),
      Self(DiskCounters.self,      size: 3016, alignment: 8, [(\.name, 0), (\.clientCount, 24), (\.starts, 28), (\.state, 32), (\.controller, 36), (\.model, 40), (\.serial, 80),
                                                              (\.sectorSize, 100), (\.sectorCount, 104), (\.table, 112), (\.partitionCount, 116), (\.depth, 120),
                                                              (\.issued, 124), (\.drive, 128), (\.clients, 200)]),
      Self(DriveCounters.self,     size: 72,   alignment: 8, [(\.commands, 0), (\.interrupts, 8), (\.driveErrors, 16), (\.linkErrors, 24), (\.timeouts, 32), (\.repeats, 40),
                                                              (\.portResets, 48), (\.controllerResets, 56), (\.deepestQueue, 64)]),
      Self(DiskClientCounters.self, size: 176, alignment: 8, [(\.machine, 0), (\.disk, 24), (\.state, 28), (\.partition, 32), (\.isReadOnly, 36), (\.firstSector, 40),
                                                              (\.sectorCount, 48), (\.reads, 56), (\.writes, 64), (\.bytesRead, 72), (\.bytesWritten, 80), (\.flushes, 88),
                                                              (\.clears, 96), (\.refused, 104), (\.errors, 112), (\.timed, 120), (\.latencySum, 128), (\.latencyMaximum, 136),
                                                              (\.depth, 144), (\.deepest, 148), (\.interrupts, 152), (\.kicks, 160), (\.resumed, 168)]),
      Self(QueueSetup.self,        size: 32,   alignment: 8, [(\.size, 0), (\.isEnabled, 2), (\.descriptors, 8), (\.available, 16), (\.used, 24)]),
      Self(ReceiveFilter.self,     size: 272,  alignment: 8, [(\.modes, 0), (\.count, 4), (\.own, 8), (\.addresses, 16)]),
      Self(SwitchCounters.self,    size: 2976, alignment: 8, [(\.name, 0), (\.portCount, 24), (\.starts, 28), (\.ports, 32)]),
      Self(PortCounters.self,      size: 184,  alignment: 8, [(\.machine, 0), (\.card, 24), (\.state, 28), (\.sent, 32), (\.sentBytes, 40), (\.forwarded, 48),
                                                              (\.copies, 56), (\.delivered, 64), (\.deliveredBytes, 72), (\.refused, 80), (\.lost, 128),
                                                              (\.interrupts, 168), (\.kicks, 176)]),
    ]
  }
}
