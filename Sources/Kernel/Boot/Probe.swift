// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Processors
import Speculation
import Virtualisation
import X86

/// `probe` on the command line: do guests really run here? The answer goes to the emulator's exit port.
enum Probe {
  /// The value that says yes.
  private static var yes: UInt32 { 0x10 }

  /// Runs guests of a few instructions.
  static func run(
    _ features: ProcessorFeatures, _ support: GuestSupport, _ speculation: ProcessorSpeculation,
    _ space: AddressSpace, _ memory: inout BootMemory
  ) throws(BootError) -> Never {
    let core = try CoreMemory(0, &memory, space: space, descriptors: try CoreDescriptors(&memory))
    let gates = try memory.page()
    CoreSetup.fillGates(gates, support)
    CoreSetup.enter(
      core, gates: gates, features: features, support: support, plan: speculation.plan, space: space)
    let guest = try ProbeGuest(try GuestMaker(support, features, speculation, &memory), core, &memory)
    guard guest.halts() else { throw .refused("a guest does not run on this machine") }
    guard !support.hasGuestTimer || guest.leavesInTime() else {
      throw .refused("a guest does not leave at the end of its turn on this machine")
    }
    guard guest.keepsCaches() else { throw .refused("a guest switches this machine's caches off") }
    if case .vmx = support {
      guard guest.isRefused() else { throw .refused("a guest has a bit of CR4 that is nobody's on this machine") }
    }
    guard guest.isInterrupted() else { throw .refused("an interrupt does not reach a guest on this machine") }
    try guest.meetsExceptions(support)
    guard !support.sharesControllers || guest.endsInterrupts() else {
      throw .refused("a guest does not end interrupts by itself on this machine")
    }
    guard !support.postsInterrupts || guest.takesPosted() else {
      throw .refused("an interrupt of another core does not reach a guest that runs on this machine")
    }
    guard !speculation.guests.control.isEmpty else { return end(support) }
    guard guest.keepsControl(speculation) else {
      throw .refused("a guest's SPEC_CTRL and the kernel's are not apart on this machine")
    }
    log(.information, "guests have SPEC_CTRL \(hex: speculation.guests.control.rawValue) for their own")
    end(support)
  }

  private static func end(_ support: GuestSupport) -> Never {
    if case .vmx = support { VMXSupport.logCapabilities() }
    log(.information, "guests run here")
    cx86_out32(0xf4, yes)
    cx86_halt_forever()
  }
}

/// A guest in real mode with one page of memory.
struct ProbeGuest {
  /// HLT.
  private static var halt: UInt64 { 0x100 }
  /// A jump to itself.
  private static var loop: UInt64 { 0x110 }
  /// STI, NOP, and a jump to itself.
  private static var opening: UInt64 { 0x120 }
  /// The handler of `vector`: HLT.
  static var handler: UInt64 { 0x130 }
  private static var vector: UInt32 { 0x20 }
  /// The handler of `higherVector`, in 16-bit code: mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr; iret.
  private static var endingHandler: UInt64 { 0x140 }
  private static var higherVector: UInt32 { 0x30 }
  /// In 16-bit code: mov %cr0, %eax; or $0x60000000, %eax; mov %eax, %cr0; hlt.
  private static var cacheSwitch: UInt64 { 0x160 }
  /// Likewise, of CR4 and LA57; without the HLT, as it ends in the handler of #GP.
  private static var hiddenBit: UInt64 { 0x180 }
  private static var protection: UInt32 { 13 }
  /// Ticks of a turn, and of the longest that anything here may take.
  private static var turn: UInt64 { 1 << 20 }
  static var patience: UInt64 { 1 << 32 }

  let processor: AnyGuestProcessor
  let state: Cell<VirtualCPUState>
  private let host: HostReturn
  let page: PhysicalAddress

  init(_ maker: GuestMaker, _ core: CoreMemory, _ memory: inout BootMemory) throws(BootError) {
    page = try memory.page()
    let guest = try AddressSpace(&memory, form: maker.form)
    try guest.map(0, to: page, size: 4096, .writable | .user, from: &memory)
    processor = try maker.make(guest, identifier: 1, host: core.hostState, overlay: nil, from: &memory)
    state = BootMemory.cell(VirtualCPUState(), at: try memory.page())
    host = HostReturn(state: core.hostState, space: PagingRoot(value: cx86_read_cr3()))
    Self.place(0xf4, at: Self.halt, in: page)
    Self.place(0xfeeb, at: Self.loop, in: page)
    Self.place(0xfeeb_90fb, at: Self.opening, in: page)
    Self.place(0xf4, at: Self.handler, in: page)
    Self.place(UInt32(Self.handler), at: UInt64(Self.vector) * 4, in: page)
    Self.place(0x080b_b966, at: Self.endingHandler, in: page)
    Self.place(0x3166_0000, at: Self.endingHandler + 4, in: page)
    Self.place(0xd231_66c0, at: Self.endingHandler + 8, in: page)
    Self.place(0x00cf_300f, at: Self.endingHandler + 12, in: page)
    Self.place(UInt32(Self.endingHandler), at: UInt64(Self.higherVector) * 4, in: page)
    Self.place(0x66c0_200f, at: Self.cacheSwitch, in: page)
    Self.place(0x0000_000d, at: Self.cacheSwitch + 4, in: page)
    Self.place(0xc022_0f60, at: Self.cacheSwitch + 8, in: page)
    Self.place(0xf4, at: Self.cacheSwitch + 12, in: page)
    Self.place(0x66e0_200f, at: Self.hiddenBit, in: page)
    Self.place(0x0010_000d, at: Self.hiddenBit + 4, in: page)
    Self.place(0xe022_0f00, at: Self.hiddenBit + 8, in: page)
    Self.place(UInt32(Self.handler), at: UInt64(Self.protection) * 4, in: page)
    processor.reset()
  }

  static func place(_ word: UInt32, at offset: UInt64, in page: PhysicalAddress) {
    // SAFETY: the page was dealt out for this; all offsets above are multiples of four inside it.
    unsafe DirectMap.pointer(page + offset).storeBytes(of: word, as: UInt32.self)
  }

  /// Whether it leaves for HLT.
  func halts() -> Bool {
    start(at: Self.halt)
    return run(for: Self.patience) == .halt
  }

  /// Whether it leaves when its turn ends, and not before.
  func leavesInTime() -> Bool {
    start(at: Self.loop)
    let before = cx86_rdtsc()
    let reason = run(for: Self.turn)
    let ticks = cx86_rdtsc() &- before
    return reason == nil && ticks >= Self.turn && ticks < Self.patience
  }

  /// Whether it sets CD and NW of CR0 for itself, and for nobody else.
  func keepsCaches() -> Bool {
    let both: UInt64 = 1 << 29 | 1 << 30
    start(at: Self.cacheSwitch)
    guard run(for: Self.patience) == .halt else { return false }
    processor.store(.halt, in: &state.value)
    let kernels = cx86_read_cr0()
    return state.value.rip == Self.cacheSwitch + 12 && state.value.cr0 & both == both && kernels & both == 0
  }

  /// Whether it gets #GP for a bit that it is not shown.
  func isRefused() -> Bool {
    start(at: Self.hiddenBit)
    guard run(for: Self.patience) == .halt else { return false }
    processor.store(.halt, in: &state.value)
    return state.value.rip == Self.handler && state.value.cr4 & 1 << 12 == 0
  }

  /// Whether an interrupt that it cannot take yet reaches it when it can.
  func isInterrupted() -> Bool {
    state.value.injection.interrupt = Injection.valid | Self.vector
    start(at: Self.opening)
    guard run(for: Self.patience) == .halt else { return false }
    processor.store(.halt, in: &state.value)
    return state.value.rip == Self.handler && state.value.injection.wasTaken != 0
  }

  /// Whether it takes one interrupt after another and ends the first by the EOI register, with no exit; and with one, if
  /// that is asked for.
  func endsInterrupts() -> Bool {
    let lower = UInt64(1) << UInt64(Self.vector)
    let higher = UInt64(1) << UInt64(Self.higherVector)
    state.value.controller.isShared = 1
    state.value.controller.requests[0] = lower | higher
    start(at: Self.opening)
    guard run(for: Self.patience) == .halt else { return false }
    processor.store(.halt, in: &state.value)
    guard state.value.rip == Self.handler, state.value.controller.requests[0] == 0,
      state.value.controller.inService[0] == lower
    else { return false }
    state.value.controller.requests[0] = higher
    state.value.controller.inService[0] = 0
    state.value.controller.noticedEnds[0] = higher
    start(at: Self.opening)
    guard run(for: Self.patience) == .endOfInterrupt else { return false }
    processor.store(.endOfInterrupt, in: &state.value)
    return state.value.exit.address == UInt64(Self.higherVector) && state.value.controller.inService[0] == 0
  }

  /// Whether it takes an interrupt that is posted, when its core hears of that, with no exit.
  func takesPosted() -> Bool {
    guard case .vmx(let vmx) = processor, let posted = vmx.value.posted else { return false }
    state.value.controller = SharedController()
    state.value.controller.isShared = 1
    state.value.posted.vectors[1] = UInt8(Self.vector)
    state.value.posted.haveChanged = 1
    start(at: Self.opening)
    guard processor.post(1, ofSlot: 0) == .refused, !posted.begin(), processor.post(0, ofSlot: 0) == .refused,
      processor.post(1, ofSlot: 0) == .posted(mustAnnounce: true)
    else { return false }
    LocalAPIC.own.enable(usesDeadline: false, LocalInputs(line0: .masked, line1: .masked))
    guard run(for: Self.patience) == .halt else { return false }
    processor.store(.halt, in: &state.value)
    return state.value.rip == Self.handler && state.value.controller.inService[0] == 1 << UInt64(Self.vector)
      && processor.post(1, ofSlot: 0) == .refused
  }

  func start(at address: UInt64) {
    state.value.rip = address
    state.value.registers.words[4] = 0x800
    state.value.cr0 = 0x10
    state.value.segments.cs.attributes = 0x9b
    state.value.segments.ss.attributes = 0x93
    state.value.segments.tr.attributes = 0x8b
    state.value.segmentsChanged = 1
    processor.load(&state.value)
  }

  /// Runs it, for `ticks` at the most where guests leave by themselves.
  func run(for ticks: UInt64) -> ExitReason? {
    processor.run(state, host, until: cx86_rdtsc() &+ ticks)
    return processor.exitReason()
  }
}
