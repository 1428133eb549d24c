// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
package import HostTools
import Subprocess
import SystemPackage

/// Finds out whether KVM can run Roost: `/dev/kvm` that opens but cannot run a guest is common.
package struct AcceleratorProbe: Sendable {
  /// Enough for the kernel to boot in; it takes well under a second where KVM works.
  private static let limit = Duration.seconds(10)
  private static let memoryMiB = 256

  private let kernel: String

  /// - Parameter kernel: The file of Roost's own kernel.
  package init(kernel: String) { self.kernel = kernel }

  /// Decides which accelerator to use.
  package func decide(_ request: AcceleratorRequest) async throws(ToolFailure) -> AcceleratorDecision {
    if let decision = AcceleratorDecision(request: request, host: HostVirtualisation.ofThisHost) { return decision }
    return AcceleratorDecision(probe: try await trial())
  }

  private func trial() async throws(ToolFailure) -> ProbeOutcome {
    var machine = EmulatedMachine(kernel: kernel, image: nil, memoryMiB: Self.memoryMiB, cores: 1, accelerator: .kvm)
    machine.commandLine = "probe"
    machine.hasExitDevice = true
    let arguments = Arguments(machine.arguments)
    do {
      // The status of whatever ended first; the limit kills the emulator through cancellation.
      return try await withThrowingTaskGroup(of: ProbeOutcome.self) { group in
        group.addTask {
          let result = try await Subprocess.run(.name(Tool.emulator.name), arguments: arguments, output: .discarded)
          return switch result.terminationStatus {
          case .exited(let status): ProbeOutcome(status: Int(status))
          case .signaled(let signal): .killed(signal: Int(signal))
          }
        }
        group.addTask {
          try await Task.sleep(for: Self.limit)
          return .timedOut
        }
        defer { group.cancelAll() }
        return try await group.next() ?? .timedOut
      }
    } catch let error as SubprocessError where error.code == .executableNotFound {
      throw .missing(.emulator)
    } catch {
      throw .unusable(.emulator, because: "\(error)")
    }
  }
}

extension HostVirtualisation {
  /// `KVM_CREATE_VM` (Linux, Documentation/virt/kvm/api.rst §4.2).
  private static let createMachine: UInt = 0xae01

  /// What this host says of itself.
  package static var ofThisHost: Self {
    let device: FileDescriptor
    do {
      device = try FileDescriptor.open(FilePath("/dev/kvm"), .readWrite, options: .closeOnExec)
    } catch {
      return error as? Errno == .permissionDenied ? .notAllowed : .noKVM
    }
    defer { try? device.close() }
    let machine = ioctl(device.rawValue, createMachine, 0)
    guard machine >= 0 else { return .unusable }
    close(machine)
    let processor = FileManager.default.contents(atPath: "/proc/cpuinfo") ?? Data()
    return String(decoding: processor, as: UTF8.self).names(flag: "svm") ? .promising : .otherVendor
  }
}

extension String {
  /// Whether a line `flags : …` of /proc/cpuinfo has this flag.
  func names(flag: String) -> Bool {
    split(separator: "\n").contains { $0.hasPrefix("flags") && $0.split(separator: " ").contains { $0 == flag } }
  }
}
