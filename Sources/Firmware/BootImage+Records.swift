// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

// What files, domains and regions must be, each by itself.

extension BootImage {
  /// Files are whole pages, so that mapping one shows nothing else.
  func checkFiles() throws(BootImageError) {
    for index in 0..<count(.files) {
      let file = file(index)
      guard file.name.isPrintable else { throw BootImageError(.files, index, "has a name that is not printable") }
      guard file.offset.isAligned(to: 4096), file.offset > 0 else {
        throw BootImageError(.files, index, "does not begin on a page of its own")
      }
      guard let pages = file.size.roundedUp(to: 4096), fits(file.offset, count: pages, in: size) else {
        throw BootImageError(.files, index, "does not lie inside the image with all its pages")
      }
      guard file.offset > systemSize || fits(file.offset, count: pages, in: systemSize) else {
        throw BootImageError(.files, index, "is half in the system, half in its material")
      }
    }
  }

  func checkDomains() throws(BootImageError) {
    for index in 0..<count(.domains) {
      let domain = domain(index)
      guard domain.name.count > 0, domain.name.isPrintable else {
        throw BootImageError(.domains, index, "has no printable name")
      }
      guard domain.program < UInt32(count(.files)) else {
        throw BootImageError(.domains, index, "names a program that is not there")
      }
      guard domain.symbols == DomainRecord.noIndex || domain.symbols < UInt32(count(.files)) else {
        throw BootImageError(.domains, index, "names symbols that are not there")
      }
      guard domain.core < UInt16(BootLimits.cores) else {
        throw BootImageError(.domains, index, "names a core above 63")
      }
      guard domain.priority <= 7 else { throw BootImageError(.domains, index, "has a priority above 7") }
      let known: DomainTraits = .hasVirtualCPU | .controlsDomains | .showsLog | .mayMove
      guard known.contains(DomainTraits(rawValue: domain.traits)) else {
        throw BootImageError(.domains, index, "has a trait that does not exist")
      }
      guard OnCrash(rawValue: domain.onCrash) != nil else {
        throw BootImageError(.domains, index, "says nothing known of what follows a crash")
      }
    }
  }

  func checkRegions() throws(BootImageError) {
    for index in 0..<count(.regions) {
      let region = region(index)
      guard let kind = RegionKind(rawValue: region.kind) else {
        throw BootImageError(.regions, index, "is of a kind that does not exist")
      }
      guard region.size > 0, region.size.isAligned(to: kind == .guestMemory ? 2 * .MiB : 4096) else {
        throw BootImageError(.regions, index, "has a size that is no multiple of its pages")
      }
      guard region.size <= AddressMap.end else { throw BootImageError(.regions, index, "is larger than any memory") }
      if let rule = brokenRule(region, kind) { throw BootImageError(.regions, index, rule) }
    }
  }

  /// What a region of this kind has wrong beside its size's alignment.
  private func brokenRule(_ region: RegionRecord, _ kind: RegionKind) -> StaticString? {
    switch kind {
    case .shared, .workspace, .guestMemory, .deviceMemory: return nil
    case .file:
      guard region.file < UInt32(count(.files)) else { return "names a file that is not there" }
      guard let pages = file(Int(region.file)).size.roundedUp(to: 4096), region.size <= pages else {
        return "is larger than its file"
      }
      return nil
    case .log: return region.size <= LogRing.size ? nil : "is larger than the log"
    case .status: return region.size <= UInt64(count(.domains)) * 4096 ? nil : "is larger than all domains' status"
    }
  }
}
