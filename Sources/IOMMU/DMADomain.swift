// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What the devices of one owner can reach: a VM's memory, or what a driver works on.
package struct DMADomain: Sendable {
  /// The number by which the IOMMU's caches know it; 0 is for devices that belong to nobody.
  package let number: UInt16
  let table: TranslationTable

  /// The first address that devices cannot name.
  package var limit: UInt64 { table.form.limit }
}
