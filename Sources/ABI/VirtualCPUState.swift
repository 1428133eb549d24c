// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The page in which a VMM and the kernel hand a vCPU's state to each other; one of 4 KiB for each vCPU.
///
/// The kernel writes what an exit left, the VMM changes what it emulates, `enterGuest` takes it from here. All of it
/// is a claim to the kernel: it passes on only what cannot reach beyond the guest.
package struct VirtualCPUState: BitwiseCopyable {
  package var registers = GeneralRegisters()
  package var rip: UInt64 = 0
  package var rflags: UInt64 = 2
  package var cr0: UInt64 = 0
  package var cr2: UInt64 = 0
  package var cr3: UInt64 = 0
  package var cr4: UInt64 = 0
  package var cr8: UInt64 = 0
  package var efer: UInt64 = 0
  package var dr6: UInt64 = 0xffff_0ff0
  package var dr7: UInt64 = 0x400
  /// IA32_PAT of the guest.
  package var pat: UInt64 = 0x0007_0406_0007_0406
  /// The guest's XCR0; the kernel refuses bits the machine has not.
  package var xcr0: UInt64 = 1
  /// Added to the machine's time-stamp counter when the guest reads it.
  package var tscOffset: UInt64 = 0
  /// Only what `exit` says (`ExitReason.segments`); `cr3` and `dr7` likewise. Of these two the kernel takes only what the
  /// VMM has changed.
  package var segments = Segments()
  /// Not zero: the VMM changed `segments` and the kernel is to take them; the kernel clears it.
  package var segmentsChanged: UInt32 = 0
  /// Not zero: the guest sees its overlay page on the next entry, else an access to it exits.
  package var overlay: UInt32 = 0
  /// Not zero: the guest is in the shadow of `sti` or `mov ss`. A VMM that skips an instruction clears it.
  package var interruptShadow: UInt32 = 0
  /// What the VMM wants delivered on the next entry.
  package var injection = Injection()
  /// Ticks by which a sleep may be longer, so that guests of one core wake together.
  package var sleepSlack: UInt32 = 0
  /// Not zero: the guest sleeps until the time-stamp counter says this, and only then enters, with what is injected
  /// here. The kernel clears it when the guest enters; a notification before ends `enterGuest` with nothing done.
  package var sleepUntil: UInt64 = 0
  /// When `Notifications.timer` is due, as `setTimer` would have it; 0 for never.
  package var deadline: UInt64 = 0
  /// What the last exit was.
  package var exit = ExitInformation()
  /// Ports that are kicks, at most `kickCapacity`.
  package var kicks: InlineArray<16, KickRange> = InlineArray(repeating: KickRange())
  package static var kickCapacity: Int { 16 }
  /// The guest's local APIC, as far as its processor does that one's work.
  package var controller = SharedController()
  /// What servers may interrupt the guest for without its VMM.
  package var posted = PostedMessages()

  package init() {}
}

/// Ports that a guest writes to only to say that there is something to do: the kernel turns such a write straight into
/// a signal on a channel of the VMM, and the guest goes on.
package struct KickRange: BitwiseCopyable, Equatable {
  package var first: UInt16 = 0
  /// Ports from `first` on; 0 if there are none.
  package var count: UInt16 = 0
  /// The channel slot.
  package var slot: UInt16 = 0
  private var reserved: UInt16 = 0

  package init(first: UInt16 = 0, count: UInt16 = 0, slot: UInt16 = 0) {
    self.first = first
    self.count = count
    self.slot = slot
  }

  /// Whether `port` is one of these.
  package func contains(_ port: UInt16) -> Bool { port >= first && port - first < count }
}

/// The sixteen general registers, in the order of their numbers in instructions.
package struct GeneralRegisters: BitwiseCopyable {
  package var words: InlineArray<16, UInt64> = InlineArray(repeating: 0)
  package init() {}
}

/// A segment or descriptor-table register with its hidden part.
package struct Segment: BitwiseCopyable {
  package var selector: UInt16 = 0
  /// Descriptor bits 40-47 in bits 0-7, bits 52-55 in bits 8-11 (AMD APM volume 2, §15.5.1).
  package var attributes: UInt16 = 0
  package var limit: UInt32 = 0xffff
  package var base: UInt64 = 0

  package init(selector: UInt16 = 0, attributes: UInt16 = 0, limit: UInt32 = 0xffff, base: UInt64 = 0) {
    self.selector = selector
    self.attributes = attributes
    self.limit = limit
    self.base = base
  }
}

package struct Segments: BitwiseCopyable {
  package var es = Segment()
  package var cs = Segment()
  package var ss = Segment()
  package var ds = Segment()
  package var fs = Segment()
  package var gs = Segment()
  package var gdtr = Segment()
  package var ldtr = Segment()
  package var idtr = Segment()
  package var tr = Segment()
  package init() {}
}

/// What the VMM wants delivered to the guest.
package struct Injection: BitwiseCopyable {
  /// An interrupt that the guest takes as soon as it can: 0x100 | vector; 0 for none. The kernel delivers it with no
  /// further exit where the processor can, and sets `wasTaken` on the exit after that.
  package var interrupt: UInt32 = 0
  /// Set by the kernel: the guest took `interrupt`, which is 0 again.
  package var wasTaken: UInt32 = 0
  /// An exception that the guest takes at once: 0x100 | vector, with 0x200 if `errorCode` belongs to it; 0 for none.
  package var exception: UInt32 = 0
  package var errorCode: UInt32 = 0
  /// Not zero: an NMI, which the guest takes as soon as an entry finds it able to. The kernel clears it then.
  package var nonMaskable: UInt32 = 0
  private var reserved: UInt32 = 0
  package init() {}

  package static var valid: UInt32 { 0x100 }
  package static var hasErrorCode: UInt32 { 0x200 }
}
