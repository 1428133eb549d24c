// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Terminal

/// Where the console starts.
@c(component_main)
func componentMain() {
  let configuration = Mapped<ConsoleConfiguration>.configuration.value
  guard configuration.version == ConsoleConfiguration.version else {
    Kernel.log(.error, "the boot image has another version of the console's configuration")
    Kernel.exit(.powerOff)
  }
  run(configuration)
}

private func run(_ configuration: ConsoleConfiguration) -> Never {
  do throws(SerialPortError) {
    // SAFETY: the description maps the log, and a workspace of `ConsoleWorkspace.size` that is this component's own.
    var console = unsafe try Console(
      configuration: configuration, host: KernelHost(), space: KernelPorts(first: configuration.port),
      log: LogView(unsafeBase: Memory.pointer(AddressMap.log)),
      unsafeWorkspace: Memory.pointer(AddressMap.workspace))
    while true {
      console.step()
      let events = Kernel.wait()
      if events.contains(.interrupt(ConsoleConfiguration.interruptSlot)) {
        Kernel.acknowledgeInterrupt(slot: ConsoleConfiguration.interruptSlot)
      }
    }
  } catch {
    Kernel.log(.error, "there is no working UART at port \(hex: configuration.port): what VMs print is not shown")
    discardOutput(of: min(Int(configuration.count), ConsoleConfiguration.capacity))
  }
}

/// Throws away what the VMs print, so that none of them waits for a screen that is not there.
private func discardOutput(of machines: Int) -> Never {
  var host = KernelHost()
  while true {
    for index in 0..<machines where host.output(of: index).count > 0 {
      host.output(of: index).discard()
      host.signal(machine: index)
    }
    _ = Kernel.wait()
  }
}
