// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import HostTools

/// Why a guest's kernel or initial RAM disk could not be made.
package enum MaterialError: Error, CustomStringConvertible {
  case tool(ToolFailure)
  /// No index names a kernel: none could be loaded, or this is no Debian system.
  case noKernelPackage(DebianArchitecture)
  /// A package could be had, but is not what it should be.
  case noPackage(String)
  case notAModule(String)
  /// A file of the cache cannot be read or written.
  case file(String)

  package var description: String {
    switch self {
    case .tool(let failure): failure.description
    case .noKernelPackage(let architecture):
      """
      no Debian package '\(architecture.kernelMetaPackage)' for \(architecture.rawValue) was found; check the network and \
      that /etc/apt names a Debian mirror, or name a kernel file of your own in the description
      """
    case .noPackage(let name): "the Debian package '\(name)' does not hold what was expected of it"
    case .notAModule(let path): "\(path) is not a kernel module that Roost can read"
    case .file(let text): text
    }
  }

  /// Runs a step and turns what it throws into a `MaterialError`.
  static func wrapping<Result>(_ body: () async throws -> Result) async throws(MaterialError) -> Result {
    do {
      return try await body()
    } catch let error as MaterialError {
      throw error
    } catch let failure as ToolFailure {
      throw .tool(failure)
    } catch {
      throw .file("\(error)")
    }
  }
}
