// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import ImagePacking

@Test(arguments: [
  ("VMM.run() -> ()", "VMM.run()"),
  ("Machine.Serial.write(port: Swift.UInt16, value: Swift.UInt8) -> ()", "Serial.write(port:value:)"),
  ("Kernel.f(Swift.Int, _: (a: Swift.Int, Swift.Int), to: [Swift.Int : Swift.Int]) -> ()", "Kernel.f(_:_:to:)"),
  ("Kernel.f(with: (Swift.Int, Swift.Int) -> ()) throws(Kernel.E) -> Swift.Int", "Kernel.f(with:)"),
  ("static Kernel.Scheduler.next() -> Swift.Never", "Scheduler.next()"),
  ("Kernel.Thread.init(stack: Swift.UInt64) -> Kernel.Thread", "Thread.init(stack:)"),
  ("Kernel.Thread.name.getter : Bits.ShortName", "Thread.name.getter"),
  ("Kernel.Table.subscript.getter : (Swift.Int) -> Kernel.Row", "Table.subscript.getter"),
  ("(extension in Kernel):ABI.Status.text() -> Swift.StaticString", "Status.text()"),
  ("Kernel.(hidden in _1A2B3C4D5E6F)(x: Swift.Int) -> ()", "Kernel.hidden(x:)"),
  ("Kernel.Table.(hidden in _1A2B)() -> ()", "Table.hidden()"),
  (
    "generic specialization <Swift.UInt8, () -> ()> of Bits.GuestMemory.read<A where A: Swift.FixedWidthInteger>"
      + "(_: Bits.GuestAddress, as: A.Type) throws(Bits.GuestMemoryError) -> A", "GuestMemory.read(_:as:)"
  ),
  (
    "function signature specialization <Arg[0] = Dead> of generic specialization <A> of Kernel.f() -> ()",
    "Kernel.f()"
  ),
  ("closure #1 (Swift.Int) -> () in Kernel.Table.walk(from: Swift.Int) -> ()", "closure #1 in Table.walk(from:)"),
  (
    "implicit closure #2 () -> () in closure #1 () -> () in Kernel.f() -> ()",
    "implicit closure #2 in closure #1 in Kernel.f()"
  ),
  ("step #1 (x: Swift.Int) -> () in Kernel.f() -> ()", "step #1 in Kernel.f()"),
  ("static Bits.Flags.| infix(A, A) -> A", "Flags.| infix(_:_:)"),
  ("static Kernel.Time.< infix(Kernel.Time, Kernel.Time) -> Swift.Bool", "Time.< infix(_:_:)"),
  ("type metadata accessor for Kernel.Thread", "type metadata accessor for Kernel.Thread"),
])
func `a demangled name is shortened to what a back trace needs`(demangled: String, short: String) {
  #expect(SymbolName.shorten(demangled) == short)
}

@Test func `a mangled name is made readable, another stays as it is`() {
  #expect(SymbolName.readable("$s3VMM3runyyF") == "VMM.run()")
  #expect(
    SymbolName.readable("$s7Machine6SerialV5write4port5valueys6UInt16V_s5UInt8VtF") == "Serial.write(port:value:)")
  #expect(SymbolName.readable("$e6Kernel4CoreV3runs5NeverOyF") == "Core.run()")
  #expect(SymbolName.readable("isr_common") == "isr_common")
  #expect(SymbolName.readable("$snonsense") == "$snonsense")
}

@Test func `a name is short and printable whatever the file says`() {
  #expect(SymbolName.readable(String(repeating: "x", count: 300)).utf8.count == 100)
  #expect(SymbolName.readable("gr\u{FC}n\u{1B}") == "gr?n?")
  for text in ["", "(", ")", "<", ">", ".", "a<b", "a(b", " specialization <", " : ", "#1 in ", "..", "a.(b in _1"] {
    #expect(SymbolName.shorten(text).utf8.count <= text.utf8.count + 1)
  }
}

@Test func `the symbol table names the function an address lies in`() throws {
  var made = MadeELF()
  made.symbols.append(.init(name: "alias", address: 0x40_0010, information: 0x02))
  made.symbols.append(.init(name: "last", address: 0x40_0060, information: 0x10))
  let bytes = try #require(try SymbolFile.make(from: ELFFile(made.bytes)))

  #expect(name(at: 0x40_0000, in: bytes) == "start+0")
  // A label reaches to the next function.
  #expect(name(at: 0x40_000f, in: bytes) == "start+15")
  #expect(name(at: 0x40_0014, in: bytes) == "VMM.run()+4")
  #expect(name(at: 0x40_0020, in: bytes) == nil)
  // The last label reaches to the end of the code.
  #expect(name(at: 0x40_0063, in: bytes) == "last+3")
  #expect(name(at: 0x40_0064, in: bytes) == nil)
  #expect(name(at: 0x3f_ffff, in: bytes) == nil)
}

@Test func `a file without symbols has no table`() throws {
  var made = MadeELF()
  made.symbols = []

  #expect(try SymbolFile.make(from: ELFFile(made.bytes)) == nil)
}

/// What the kernel's reader says of an address.
private func name(at address: UInt64, in bytes: [UInt8]) -> String? {
  guard let table = SymbolTable(bytes.span.bytes) else { return nil }
  var result: String?
  table.symbol(at: address) { name, offset in
    var text = ""
    for index in 0..<name.byteCount { text.append(Character(Unicode.Scalar(name.load(index, as: UInt8.self) ?? 0))) }
    result = "\(text)+\(offset)"
  }
  return result
}
