// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Firmware
import X86

/// Makes domains from the records of the boot image.
struct DomainBuilder: ~Escapable {
  let reader: BootImage
  /// Where the image is in memory.
  let place: ImagePlace
  let kernelSpace: AddressSpace
  let information: Cell<SystemInformation>
  /// The core of each domain.
  let placement: CorePlacement
  /// The memory of each region of the image.
  let regions: Table<PhysicalExtent>
  let directMapped: DirectMappedGuests
  /// The status pages, one for each domain.
  let status: PhysicalAddress

  @_lifetime(copy reader)
  init(
    _ reader: BootImage, _ place: ImagePlace, _ kernelSpace: AddressSpace,
    _ information: Cell<SystemInformation>, _ placement: CorePlacement, _ bus: MachineBus,
    _ memory: inout BootMemory
  ) throws(BootError) {
    self.placement = placement
    self.reader = reader
    self.place = place
    self.kernelSpace = kernelSpace
    self.information = information
    status = try memory.bytes(UInt64(max(reader.count(.domains), 1)) * 4096)
    directMapped = DirectMappedGuests(reader, bus, &memory)
    information.value.guestBases = directMapped.bases
    regions = try Self.regions(reader, place, status, directMapped, &memory)
  }

  /// A domain with its address space, its program not yet loaded.
  func domain(_ index: Int, _ memory: inout BootMemory) throws(BootError) -> Domain {
    let record = reader.domain(index)
    let space = try AddressSpace(&memory)
    space.share(DirectMap.base, of: kernelSpace)
    space.share(DirectMap.deviceBase, of: kernelSpace)
    space.share(DirectMap.kernelBase, of: kernelSpace)
    let program = try program(record, space, &memory)
    try space.map(
      AddressMap.information, to: information.physicalAddress, size: 4096, .user | .noExecute, from: &memory)
    try mapStack(space, &memory)
    let workspaces = try mapRegions(of: index, space, &memory)
    var own = DomainStatus()
    own.name = record.name
    own.core = UInt32(placement[index].core)
    let hasCore = placement[index].runs
    if !hasCore { own.state = DomainState.coreless.rawValue }
    return Domain(
      name: record.name, space: space, traits: DomainTraits(rawValue: record.traits),
      onCrash: OnCrash(rawValue: record.onCrash) ?? .stop, program: program, workspaces: workspaces,
      channels: try channels(of: index, &memory), ports: try ports(of: index, &memory),
      lines: try memory.table(Notifications.interruptCount) { _ in nil },
      symbols: symbols(record.symbols), hasCore: hasCore,
      status: BootMemory.cell(own, at: status + UInt64(index) * 4096))
  }

  // MARK: - Memory

  /// The memory of each region.
  private static func regions(
    _ reader: borrowing BootImage, _ place: ImagePlace, _ status: PhysicalAddress, _ directMapped: DirectMappedGuests,
    _ memory: inout BootMemory
  ) throws(BootError) -> Table<PhysicalExtent> {
    var extents = FixedList<256, PhysicalExtent>()
    for index in 0..<reader.count(.regions) {
      let record = reader.region(index)
      let start: PhysicalAddress
      switch RegionKind(rawValue: record.kind) {
      case .shared, .workspace, .deviceMemory: start = try memory.bytes(record.size)
      case .file: start = place.address(of: reader.file(Int(record.file)))
      case .guestMemory: start = try guestMemory(index, record.size, reader, directMapped, &memory)
      case .log: start = kernelLog.address
      case .status: start = status
      case nil: throw .refused("the boot image has a region of a kind that this kernel does not know")
      }
      try extents.append(PhysicalExtent(start: start, size: record.size), orSay: "the boot image has too many regions")
    }
    let list = extents
    return try memory.table(list.count) { list[$0] }
  }

  private static func guestMemory(
    _ index: Int, _ size: UInt64, _ reader: borrowing BootImage, _ directMapped: DirectMappedGuests,
    _ memory: inout BootMemory
  ) throws(BootError) -> PhysicalAddress {
    let owner = reader.guest(ofRegion: index)
    if let owner {
      let base = directMapped.base(ofGuest: reader.guest(ofDomain: owner))
      if base != 0 { return PhysicalAddress(base) }
    }
    let alignment: UInt64 = size >= .GiB && memory.map.largestFree(alignment: .GiB) >= size ? .GiB : 2 * .MiB
    if let start = memory.map.allocate(size: size, alignment: alignment) { return start }
    let largest = memory.map.largestFree(alignment: 2 * .MiB)
    guard let owner else { throw .outOfMemory(wanted: size, largest: largest) }
    throw .forDomain(reader.domain(owner).name, wanted: size, largest: largest)
  }

  private func mapStack(_ space: AddressSpace, _ memory: inout BootMemory) throws(BootError) {
    let start = try memory.bytes(AddressMap.stackSize)
    try space.map(
      AddressMap.stackTop - AddressMap.stackSize, to: start, size: AddressMap.stackSize,
      .user | .writable | .noExecute | .own, from: &memory)
  }

  /// Maps what the description gives the domain. → its workspaces
  private func mapRegions(
    of domain: Int, _ space: AddressSpace, _ memory: inout BootMemory
  ) throws(BootError) -> FixedList<16, PhysicalExtent> {
    var workspaces = FixedList<16, PhysicalExtent>()
    for index in 0..<reader.count(.mappings) {
      let record = reader.mapping(index)
      guard record.domain == UInt32(domain) else { continue }
      let extent = regions[Int(record.region)]
      let isWorkspace = reader.region(Int(record.region)).kind == RegionKind.workspace.rawValue
      var flags: PageTableEntry = .user | .noExecute
      flags.set(.writable, to: record.isWritable != 0)
      flags.set(.own, to: isWorkspace)
      try space.map(record.address, to: extent.start, size: extent.size, flags, from: &memory)
      if isWorkspace {
        try workspaces.append(extent, orSay: "a domain has more than 16 workspaces")
      }
    }
    return workspaces
  }

  // MARK: - Program and rights

  private func program(
    _ record: DomainRecord, _ space: AddressSpace, _ memory: inout BootMemory
  ) throws(BootError) -> Program {
    let file = reader.file(Int(record.program))
    let image: ELFImage
    do throws(ELFError) {
      image = try ELFImage(reader.contents(ofFile: Int(record.program)), below: BootImage.programEnd)
    } catch {
      throw .line("cannot start: \(record.name): \(error.sentence)")
    }
    var program = Program(entry: image.entry, segments: FixedList())
    for index in 0..<image.segmentCount {
      let segment = image.segment(index)
      guard let size = segment.memorySize.roundedUp(to: 4096) else { throw .refused("a program is too large") }
      let memoryStart = try memory.bytes(size)
      var flags: PageTableEntry = .user | .own
      flags.set(.writable, to: segment.flags.contains(.writable))
      flags.set(.noExecute, to: !segment.flags.contains(.executable))
      try space.map(segment.address, to: memoryStart, size: size, flags, from: &memory)
      try program.segments.append(
        LoadedSegment(
          pristine: PhysicalExtent(start: place.address(of: file) + segment.fileOffset, size: segment.fileSize),
          memory: PhysicalExtent(start: memoryStart, size: size)),
        orSay: "a program has more than 8 segments")
    }
    return program
  }

  private func symbols(_ index: UInt32) -> PhysicalExtent {
    guard index != DomainRecord.noIndex else { return PhysicalExtent(start: PhysicalAddress(0), size: 0) }
    let file = reader.file(Int(index))
    return PhysicalExtent(start: place.address(of: file), size: file.size)
  }

  private func channels(of domain: Int, _ memory: inout BootMemory) throws(BootError) -> Table<ChannelEnd?> {
    let ends = try memory.table(Notifications.channelCount) { _ -> ChannelEnd? in nil }
    for index in 0..<reader.count(.channels) {
      let record = reader.channel(index)
      if record.firstDomain == UInt32(domain) {
        ends[Int(record.firstSlot)] = ChannelEnd(
          thread: Int(record.secondDomain), notification: .channel(Int(record.secondSlot)))
      }
      if record.secondDomain == UInt32(domain) {
        ends[Int(record.secondSlot)] = ChannelEnd(
          thread: Int(record.firstDomain), notification: .channel(Int(record.firstSlot)))
      }
    }
    return ends
  }

  private func ports(of domain: Int, _ memory: inout BootMemory) throws(BootError) -> Table<PortRange> {
    var ranges = FixedList<8, PortRange>()
    for index in 0..<reader.count(.ports) {
      let record = reader.ports(index)
      guard record.domain == UInt32(domain) else { continue }
      try ranges.append(
        PortRange(first: UInt64(record.first), count: UInt64(record.count)), orSay: "a domain has too many port ranges")
    }
    let list = ranges
    return try memory.table(list.count) { list[$0] }
  }
}
