// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import TestSupport
import Testing

@testable import Firmware

/// A boot image as tests change it, record by record, before it is written.
struct ImagePlan {
  var header = BootHeader()
  var files = [
    FileRecord(name: ShortName("vmm.elf"), offset: 0x4000, size: 0x1800),
    FileRecord(name: ShortName("vm0"), offset: 0x6000, size: 0x10),
  ]
  var domains = [
    DomainRecord(
      name: ShortName("vmm0"), program: 0, symbols: 1, core: 0, priority: 3, traits: .hasVirtualCPU, onCrash: .restart),
    DomainRecord(
      name: ShortName("console"), program: 0, core: 63, priority: 7, traits: .controlsDomains | .showsLog,
      onCrash: .stop),
  ]
  var regions = [
    RegionRecord(kind: .shared, size: 0x5000), RegionRecord(kind: .workspace, size: 0x2000),
    RegionRecord(kind: .file, file: 1, size: 0x1000), RegionRecord(kind: .guestMemory, size: 0x40_0000),
    RegionRecord(kind: .log, size: LogRing.size), RegionRecord(kind: .status, size: 0x2000),
    RegionRecord(kind: .workspace, size: 0x1000),
  ]
  var mappings = [
    MappingRecord(domain: 0, region: 0, address: AddressMap.channels, isWritable: true),
    MappingRecord(domain: 1, region: 0, address: AddressMap.channels, isWritable: true),
    MappingRecord(domain: 0, region: 1, address: AddressMap.workspace, isWritable: true),
    MappingRecord(domain: 0, region: 2, address: AddressMap.configuration, isWritable: false),
    MappingRecord(domain: 0, region: 3, address: AddressMap.guestLow, isWritable: true),
    MappingRecord(domain: 1, region: 4, address: AddressMap.log, isWritable: false),
    MappingRecord(domain: 1, region: 5, address: AddressMap.status, isWritable: false),
    MappingRecord(domain: 0, region: 6, address: AddressMap.overlay, isWritable: true),
  ]
  var guestMappings = [
    GuestMappingRecord(domain: 0, region: 3, address: 0),
    GuestMappingRecord(domain: 0, region: 6, address: 0xfee0_0000, isOverlay: true),
  ]
  var channels = [ChannelRecord(firstDomain: 0, firstSlot: 0, secondDomain: 1, secondSlot: 31)]
  var ports = [PortRecord(domain: 1, first: 0xfff8, count: 8)]
  var interrupts = [
    InterruptRecord(domain: 1, slot: 0, isISA: true, source: 4),
    InterruptRecord(domain: 1, slot: 15, isISA: false, source: 100),
  ]
  var devices: [DeviceRecord] = []
  var size = 0x7000
  /// Changes the table extents of the header after they were filled in.
  var changeHeader: (inout BootHeader) -> Void = { _ in }

  func written() -> [UInt8] {
    var content = [UInt8](repeating: 0, count: size)
    var header = header
    header.size = UInt64(size)
    header.systemSize = header.size
    var offset = MemoryLayout<BootHeader>.size
    func put<T: BitwiseCopyable>(_ table: BootTable, _ records: [T]) {
      let encoded = records.flatMap { record in
        bytes(record: record) + [UInt8](repeating: 0, count: MemoryLayout<T>.stride - MemoryLayout<T>.size)
      }
      content.replaceSubrange(offset..<(offset + encoded.count), with: encoded)
      header.tables[table.rawValue] = TableExtent(offset: UInt64(offset), count: UInt64(records.count))
      offset += encoded.count
    }
    put(.files, files)
    put(.domains, domains)
    put(.regions, regions)
    put(.mappings, mappings)
    put(.guestMappings, guestMappings)
    put(.channels, channels)
    put(.ports, ports)
    put(.interrupts, interrupts)
    put(.devices, devices)
    changeHeader(&header)
    let encoded = bytes(record: header)
    content.replaceSubrange(0..<encoded.count, with: encoded)
    return content
  }
}

/// What reading the image says: the error's line, or nothing.
private func refusal(of content: [UInt8]) -> String? {
  do throws(BootImageError) {
    _ = try BootImage(content.span.bytes)
    return nil
  } catch {
    return String(decoding: (0..<error.line.count).map { error.line.bytes[$0] }, as: UTF8.self)
  }
}

/// What reading a changed plan says.
func refusal(_ change: (inout ImagePlan) -> Void) -> String? {
  var plan = ImagePlan()
  change(&plan)
  return refusal(of: plan.written())
}

@Suite struct BootImageTests {
  @Test func `a sound image is read record by record`() throws {
    var plan = ImagePlan()
    plan.header.name = ShortName("minimal")
    var content = plan.written()
    content[0x6003] = 42
    let image = try BootImage(content.span.bytes)

    #expect(image.name == ShortName("minimal"))
    #expect(image.size == 0x7000)
    #expect([BootTable.files, .domains, .mappings].map { image.count($0) } == [2, 2, 8])
    #expect(image.file(1).name == ShortName("vm0"))
    #expect(image.contents(ofFile: 1).byteCount == 16)
    #expect(image.contents(ofFile: 1).load(3, as: UInt8.self) == 42)
    #expect(image.domain(1).name == ShortName("console"))
    #expect(image.domain(1).core == 63)
    #expect(image.kind(ofRegion: 3) == .guestMemory)
    #expect(image.region(3).size == 0x40_0000)
    #expect(image.mapping(4).address == AddressMap.guestLow)
    #expect(image.guestMapping(0).region == 3)
    #expect(image.channel(0).secondSlot == 31)
    #expect(image.ports(0).first == 0xfff8)
    #expect(image.interrupt(1).source == 100)
  }

  @Test func `an image longer than it says is read, a shorter one refused`() {
    let content = ImagePlan().written()
    #expect(refusal(of: content + [0, 0, 0]) == nil)
    #expect(refusal(of: Array(content.dropLast())) == "boot image: the header says another size than was loaded")
    #expect(refusal(of: []) == "boot image: the header is longer than the image")
    #expect(refusal(of: Array(content.prefix(207))) == "boot image: the header is longer than the image")
  }

  @Test func `an empty image is sound`() {
    let plan = refusal {
      ($0.files, $0.domains, $0.regions, $0.mappings) = ([], [], [], [])
      ($0.guestMappings, $0.channels, $0.ports, $0.interrupts) = ([], [], [], [])
    }
    #expect(plan == nil)
  }

  @Test func `a header that breaks a rule is refused`() {
    #expect(refusal { $0.header.magic = 0 } == "boot image: the header does not begin with ROOSTIMG")
    #expect(refusal { $0.header.version = 1 } == "boot image: the header is of another version")
    #expect(refusal { $0.header.name.bytes[0] = 27 } == "boot image: the header holds a name that is not printable")
    #expect(
      refusal { $0.changeHeader = { $0.tables[1] = TableExtent(offset: .max - 10, count: 1) } }
        == "boot image: domain 0 begins a table that does not lie inside the image")
    #expect(
      refusal { $0.changeHeader = { $0.tables[0] = TableExtent(offset: 0, count: .max) } }
        == "boot image: file 128 is one more than there may be")
  }

  @Test func `a file that breaks a rule is refused`() {
    let outside = "boot image: file 1 does not lie inside the image with all its pages"
    #expect(refusal { $0.files[1].size = 0x1001 } == outside)
    #expect(refusal { $0.files[1].size = .max } == outside)
    #expect(refusal { $0.files[1].offset = .max & ~0xfff } == outside)
    #expect(refusal { $0.size = 0x6010 } == outside)
    #expect(refusal { $0.files[1].offset = 0x5800 } == "boot image: file 1 does not begin on a page of its own")
    #expect(refusal { $0.files[0].offset = 0 } == "boot image: file 0 does not begin on a page of its own")
    #expect(refusal { $0.files[0].name.bytes[1] = 0x80 } == "boot image: file 0 has a name that is not printable")
  }

  @Test func `a domain that breaks a rule is refused`() {
    #expect(refusal { $0.domains[0].name = ShortName("") } == "boot image: domain 0 has no printable name")
    #expect(refusal { $0.domains[1].program = 2 } == "boot image: domain 1 names a program that is not there")
    #expect(refusal { $0.domains[1].symbols = 2 } == "boot image: domain 1 names symbols that are not there")
    #expect(refusal { $0.domains[0].core = 64 } == "boot image: domain 0 names a core above 63")
    #expect(refusal { $0.domains[0].priority = 8 } == "boot image: domain 0 has a priority above 7")
    #expect(refusal { $0.domains[0].traits = 0x10 } == "boot image: domain 0 has a trait that does not exist")
    #expect(refusal { $0.domains[0].onCrash = 2 } == "boot image: domain 0 says nothing known of what follows a crash")
  }

  @Test func `a region that breaks a rule is refused`() {
    let size = "has a size that is no multiple of its pages"
    #expect(refusal { $0.regions[0].kind = 7 } == "boot image: region 0 is of a kind that does not exist")
    #expect(refusal { $0.regions[0].size = 0 } == "boot image: region 0 \(size)")
    #expect(refusal { $0.regions[0].size = 0x1001 } == "boot image: region 0 \(size)")
    #expect(refusal { $0.regions[3].size = 0x30_0000 } == "boot image: region 3 \(size)")
    #expect(refusal { $0.regions[1].size = 1 << 63 } == "boot image: region 1 is larger than any memory")
    #expect(refusal { $0.regions[2].file = 2 } == "boot image: region 2 names a file that is not there")
    #expect(refusal { $0.regions[2].size = 0x2000 } == "boot image: region 2 is larger than its file")
    #expect(refusal { $0.regions[4].size += 0x1000 } == "boot image: region 4 is larger than the log")
    #expect(refusal { $0.regions[5].size = 3 * 4096 } == "boot image: region 5 is larger than all domains' status")
  }

  @Test func `a mapping that breaks a rule is refused`() {
    #expect(refusal { $0.mappings[0].domain = 2 } == "boot image: mapping 0 names a domain that is not there")
    #expect(refusal { $0.mappings[0].region = 7 } == "boot image: mapping 0 names a region that is not there")
    #expect(refusal { $0.mappings[0].isWritable = 2 } == "boot image: mapping 0 is neither writable nor read-only")
    for index in [3, 5, 6] {
      #expect(
        refusal { $0.mappings[index].isWritable = 1 } == "boot image: mapping \(index) makes writable what is read-only"
      )
    }
    #expect(refusal { $0.mappings[0].address += 1 } == "boot image: mapping 0 does not begin on a page")
    #expect(
      refusal { $0.mappings[2].domain = 1 } == nil, "a workspace may belong to any one domain")
    #expect(
      refusal {
        $0.mappings.append(MappingRecord(domain: 1, region: 1, address: AddressMap.workspace, isWritable: true))
      } == "boot image: mapping 8 gives one domain's workspace to another")
  }

  private static let wrongPlaces: [(UInt64, String)] = [
    (AddressMap.end, "lies outside a component's addresses"),
    (AddressMap.end - 0x4000, "lies outside a component's addresses"),
    (UInt64.max - 0xfff, "lies outside a component's addresses"),
    (0, "lies where the program and its stack are"),
    (AddressMap.stackTop - 0x1000, "lies where the program and its stack are"),
    (AddressMap.information - 0x4000, "lies where the system's information is"),
    (AddressMap.virtualCPU, "lies where the vCPU is"),
    (AddressMap.configuration - 0x4000, "overlaps another of its domain"),
    (AddressMap.workspace + 0x1000, "overlaps another of its domain"),
  ]

  @Test(arguments: wrongPlaces)
  func `a mapping in a wrong place is refused`(address: UInt64, says: String) {
    let said = refusal { $0.mappings[0].address = address }
    #expect(said?.hasSuffix(says) == true)
  }

  @Test func `a guest mapping that breaks a rule is refused`() {
    let text = "boot image: guest mapping 0"
    #expect(refusal { $0.guestMappings[0].domain = 2 } == "\(text) names a domain that is not there")
    #expect(refusal { $0.guestMappings[0].region = 7 } == "\(text) names a region that is not there")
    #expect(refusal { $0.guestMappings[0].domain = 1 } == "\(text) belongs to a domain without a vCPU")
    #expect(refusal { $0.guestMappings[0].region = 0 } == "\(text) gives a guest what is no guest memory")
    #expect(refusal { $0.guestMappings[0].address = 0x1000 } == "\(text) does not begin on a multiple of 2 MiB")
    #expect(refusal { $0.guestMappings[0].address = UInt64.max << 21 } == "\(text) lies outside a guest's addresses")
    #expect(
      refusal { $0.guestMappings.append(GuestMappingRecord(domain: 0, region: 3, address: 0x20_0000)) }
        == "boot image: guest mapping 2 overlaps another of its guest")
  }

  @Test func `a guest's memory belongs to no other guest`() {
    let plan = { (plan: inout ImagePlan) in plan.domains[1].traits |= DomainTraits.hasVirtualCPU.rawValue }
    #expect(
      refusal {
        plan(&$0)
        $0.guestMappings.append(GuestMappingRecord(domain: 1, region: 3, address: 0))
      } == "boot image: guest mapping 2 gives one guest's memory to another")
    #expect(
      refusal {
        plan(&$0)
        $0.regions.append(RegionRecord(kind: .guestMemory, size: 0x20_0000))
        $0.guestMappings.append(GuestMappingRecord(domain: 1, region: 7, address: 0))
      } == nil)
    #expect(
      refusal { $0.guestMappings.append(GuestMappingRecord(domain: 0, region: 3, address: 0x40_0000)) } == nil,
      "a guest may have its own memory at two addresses")
  }

  @Test func `a guest's memory is its VMM's and that of servers without a guest`() {
    let server = { (plan: inout ImagePlan, traits: DomainTraits) in
      plan.domains.append(
        DomainRecord(name: ShortName("lan"), program: 0, core: 0, priority: 5, traits: traits, onCrash: .restart))
      plan.mappings.append(MappingRecord(domain: 2, region: 3, address: AddressMap.guests, isWritable: true))
    }
    #expect(refusal { server(&$0, .none) } == nil)
    #expect(refusal { server(&$0, .mayMove) } == nil)
    #expect(
      refusal {
        server(&$0, .none)
        server(&$0, .none)
        $0.mappings[9].domain = 3
      } == nil, "a VM may have cards on two switches")
    #expect(
      refusal { server(&$0, .hasVirtualCPU) }
        == "boot image: mapping 8 gives a guest's memory to a VMM that is not that guest's")
    for trait in [DomainTraits.controlsDomains, .showsLog] {
      #expect(
        refusal { server(&$0, trait) }
          == "boot image: mapping 8 gives a guest's memory to a domain that controls others or shows the log")
    }
    #expect(
      refusal {
        $0.regions.append(RegionRecord(kind: .guestMemory, size: 0x20_0000))
        $0.mappings.append(MappingRecord(domain: 0, region: 7, address: AddressMap.guestHigh, isWritable: true))
      } == "boot image: mapping 8 gives a guest's memory to a VMM that is not that guest's",
      "nobody's memory is not this VMM's either")
  }

  @Test func `an overlay is one page of its domain's workspace`() {
    let text = "boot image: guest mapping 1"
    #expect(refusal { $0.guestMappings[1].isOverlay = 2 } == "\(text) is neither memory nor an overlay")
    let page = "\(text) gives a guest an overlay that is not one page of workspace"
    #expect(refusal { $0.guestMappings[1].region = 1 } == page)
    #expect(refusal { $0.guestMappings[1].region = 3 } == page)
    #expect(refusal { $0.guestMappings[1].address += 8 } == "\(text) does not begin on a page")
    #expect(refusal { $0.guestMappings[1].address = .max << 12 } == "\(text) lies outside a guest's addresses")
    #expect(
      refusal { $0.mappings[7].domain = 1 } == "\(text) gives a guest an overlay that its domain does not have")
    #expect(refusal { $0.guestMappings[1].address = 0x3f_f000 } == "\(text) overlaps another of its guest")
    #expect(
      refusal { $0.guestMappings.append($0.guestMappings[1]) }
        == "boot image: guest mapping 2 is a second overlay of its guest")
  }

  @Test func `a channel that breaks a rule is refused`() {
    let used = "has a slot that its domain uses already"
    #expect(refusal { $0.channels[0].secondDomain = 2 } == "boot image: channel 0 names a domain that is not there")
    #expect(refusal { $0.channels[0].firstSlot = 32 } == "boot image: channel 0 has a slot above 31")
    #expect(refusal { $0.channels.append($0.channels[0]) } == "boot image: channel 1 \(used)")
    #expect(
      refusal { $0.channels = [ChannelRecord(firstDomain: 0, firstSlot: 5, secondDomain: 0, secondSlot: 5)] }
        == "boot image: channel 0 \(used)")
  }

  @Test func `a port range or interrupt that breaks a rule is refused`() {
    let range = "boot image: port range 0 is empty or goes beyond port 0xffff"
    #expect(refusal { $0.ports[0].count = 9 } == range)
    #expect(refusal { $0.ports[0].count = 0 } == range)
    let shared = "boot image: port range 1 has a port that another domain has"
    for (first, count) in [(0xfff0, 9), (0xfff8, 8), (0xffff, 1), (0, 0xffff)] as [(UInt16, UInt16)] {
      #expect(refusal { $0.ports.append(PortRecord(domain: 0, first: first, count: count)) } == shared)
    }
    #expect(refusal { $0.ports.append(PortRecord(domain: 0, first: 0xfff0, count: 8)) } == nil)
    #expect(refusal { $0.ports.append(PortRecord(domain: 1, first: 0xfff0, count: 16)) } == nil)
    #expect(refusal { $0.ports[0].domain = 9 } == "boot image: port range 0 names a domain that is not there")
    let line = "boot image: interrupt 0 comes from an ISA line that does not exist"
    #expect(refusal { $0.interrupts[0].source = 16 } == line)
    #expect(refusal { $0.interrupts[0].isISA = 2 } == line)
    #expect(refusal { $0.interrupts[0].slot = 16 } == "boot image: interrupt 0 has a slot above 15")
    #expect(refusal { $0.interrupts[1].slot = 0 } == "boot image: interrupt 1 has a slot that its domain uses already")
    #expect(refusal { $0.interrupts[1].domain = 2 } == "boot image: interrupt 1 names a domain that is not there")
  }

  @Test func `no image traps, and what is accepted can be read`() {
    var random = SplitMix64(seed: 7)
    let good = ImagePlan().written()
    var accepted = 0
    for _ in 0..<fuzzRounds(2000) {
      var tables = Array(good.prefix(1024))
      random.corrupt(&tables)
      let content = tables + good.dropFirst(1024)
      guard let image = try? BootImage(content.span.bytes) else { continue }
      accepted += 1
      for index in 0..<image.count(.files) { _ = image.contents(ofFile: index).byteCount }
      for index in 0..<image.count(.regions) { _ = image.kind(ofRegion: index) }
    }
    #expect(accepted > 0)
  }
}
