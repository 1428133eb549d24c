// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// The keys of switches and network cards.

extension Key {
  static let switches = Key(
    name: "switches", form: .named(.virtualSwitch, count: 0...Limits.switches), example: "switches: { lan: {} }",
    summary: "The virtual switches by name.")
  static let switchCore = Key(
    name: "core", form: .number(0...(Limits.cores - 1)), example: "core: 0",
    summary: "The core the switch runs on; 0 if not given.")
  static let ageing = Key(
    name: "ageing", form: .number(Limits.ageing), example: "ageing: 300",
    summary: "Seconds after which a silent station is forgotten; 300 if not given.")

  static let cards = Key(
    name: "nics", form: .list(.section(.networkCard), count: 0...Limits.cards), example: "nics: [{ switch: lan }]",
    summary: "The VM's network cards; the first is eth0.")
  static let cardSwitch = Key(
    name: "switch", isRequired: true, form: .text(pattern: Pattern.name, maximum: Limits.nameLength),
    example: "switch: lan", summary: "The switch that the card is plugged into.")
  static let address = Key(
    name: "mac", form: .text(pattern: Pattern.macAddress, maximum: nil), example: "mac: 02:00:00:00:aa:01",
    summary: "The card's address; if not given, one made from the names of system and VM and the card's number.")
  static let mtu = Key(
    name: "mtu", form: .number(Limits.mtu), example: "mtu: 1500",
    summary: "The largest packet in bytes, Ethernet header not counted; 1500 if not given.")
  static let offload = Key(
    name: "offload", form: .word(["on", "off"]), example: "offload: off",
    summary: "Whether the card has checksum and segmentation offload; on if not given.")
  static let vlan = Key(
    name: "vlan", form: .number(Limits.vlans), example: "vlan: 10",
    summary: "The VLAN of frames without a tag; 1 if not given, on a trunk none.")
  static let trunk = Key(
    name: "trunk", form: .list(.numbers(Limits.vlans), count: 1...Limits.vlans.count), example: "trunk: [10, 20-29]",
    summary: "The VLANs of frames with a tag; if not given, frames with a tag are dropped.")
  static let antiSpoofing = Key(
    name: "anti-spoofing", form: .word(["on", "off"]), example: "anti-spoofing: on",
    summary: "Whether frames with another source address than the card's are dropped; off if not given.")
  static let rate = Key(
    name: "rate", form: .text(pattern: Pattern.rate, maximum: nil), example: "rate: 100 Mbit/s",
    summary: "How much the VM may send at most, in kbit/s, Mbit/s or Gbit/s; no limit if not given.")
}

extension Section {
  static let virtualSwitch = Section(title: "a switch", keys: [.switchCore, .ageing])
  static let networkCard = Section(
    title: "a network card",
    keys: [.cardSwitch, .address, .mtu, .offload, .vlan, .trunk, .antiSpoofing, .rate])
}
