// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// Which port the stations of each VLAN were last seen on (IEEE 802.1Q, §8.7 and §8.8).
///
/// A bucket holds few stations, so that each look is bounded. When one is full, the port with the most stations in it
/// gives up the one that has been silent the longest: a VM that invents addresses displaces its own, not others'.
struct MACTable: ~Copyable {
  private static var ways: Int { 8 }
  private static var capacity: Int { 1024 }

  private let inPlace = InPlace()
  /// The address in bits 47-0, the VLAN in 59-48, the port in 63-60; 0 is a free place, since no VLAN is 0.
  private var stations = InlineArray<1024, UInt64>(repeating: 0)
  /// When the station of the same index was last heard.
  private var heard = InlineArray<1024, UInt64>(repeating: 0)
  /// Nanoseconds for which a silent station is remembered.
  private let lifetime: UInt64

  init(lifetime: UInt64) { self.lifetime = lifetime }

  /// The port on which the station was last heard, if that was not too long ago.
  func port(of address: MACAddress, vlan: UInt16, now: UInt64) -> Int? {
    let key = Self.key(address, vlan)
    let bucket = Self.bucket(of: key)
    for place in bucket..<bucket + Self.ways where stations[place] & Self.keyMask == key {
      return isAlive(place, now) ? Int(stations[place] >> 60) : nil
    }
    return nil
  }

  /// Notes that the station was heard on `port`.
  mutating func learn(_ address: MACAddress, vlan: UInt16, port: Int, now: UInt64) {
    let key = Self.key(address, vlan)
    let bucket = Self.bucket(of: key)
    var free: Int? = nil
    var place = bucket
    while place < bucket + Self.ways, stations[place] & Self.keyMask != key {
      if free == nil, !isAlive(place, now) { free = place }
      place += 1
    }
    if place == bucket + Self.ways { place = free ?? leastUseful(in: bucket) }
    stations[place] = key | UInt64(port) << 60
    heard[place] = now
  }

  private func isAlive(_ place: Int, _ now: UInt64) -> Bool {
    stations[place] != 0 && now &- heard[place] <= lifetime
  }

  /// The place in a full bucket to give to a new station.
  private func leastUseful(in bucket: Int) -> Int {
    var worst = bucket
    var worstCount = 0
    for place in bucket..<bucket + Self.ways {
      var count = 0
      for other in bucket..<bucket + Self.ways where stations[other] >> 60 == stations[place] >> 60 { count += 1 }
      if count > worstCount || (count == worstCount && heard[place] < heard[worst]) {
        worst = place
        worstCount = count
      }
    }
    return worst
  }

  private static var keyMask: UInt64 { 1 << 60 &- 1 }

  private static func key(_ address: MACAddress, _ vlan: UInt16) -> UInt64 {
    address.rawValue | UInt64(vlan & 0xfff) << 48
  }

  /// The first place of a key's bucket.
  private static func bucket(of key: UInt64) -> Int {
    Int((key &* 0x9e37_79b9_7f4a_7c15) >> 57) * ways
  }
}
