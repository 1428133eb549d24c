// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import Bits

/// What makers' lists say of a model: what it never had, and what only a list tells (Intel, "Affected Processors:
/// Transient Execution Attacks"; AMD, bulletins SB-1036, -1037, -1045, -7005, -7008, -7029).
struct AffectedModels: Equatable {
  var never: Vulnerabilities = .none
  var listed: Vulnerabilities = .none

  /// Intel's of family 6. What new models do not have, they say themselves (`ArchitecturalCapabilities`).
  static func intel(model: UInt32, stepping: UInt32) -> Self {
    switch (model, stepping) {
    case (0x37, _), (0x4a, _), (0x4d, _), (0x5a, _),
         (0x4c, _), (0x5d, _), (0x65, _), (0x6e, _): Self(never: smallCores | .stores | .staleData)   // Silvermont, Airmont
    case (0x5c, _), (0x5f, _), (0x7a, _): Self(never: smallCores | .buffers | .staleData, listed: .registerFile)  // Goldmont
    case (0x86, _):                       Self(never: smallCores,  listed: .staleData | .registerFile)   // Snow Ridge
    case (0x96, _), (0x9c, _):            Self(never: smallCores,  listed: .staleData | .randomNumbers | .registerFile)
    case (0x57, _), (0x85, _):            Self(never: .stores | .pageSizes | .staleData)             // Xeon Phi
    case (0x1a, _), (0x1e, _), (0x1f, _), (0x2e, _),
         (0x25, _), (0x2c, _), (0x2f, _): Self()                                                     // Nehalem, Westmere
    case (0x2a, _), (0x2d, _), (0x3e, _): Self()                                                     // Sandy Bridge, Ivy Bridge-E
    case (0x3a, _):                       Self(listed: .randomNumbers)                               // Ivy Bridge
    case (0x3c, _), (0x45, _), (0x46, _): Self(listed: .randomNumbers)                               // Haswell
    case (0x3f, _), (0x4f, _), (0x56, _): Self(listed: .staleData)                                   // Haswell-E, Broadwell-E, -D
    case (0x3d, _), (0x47, _):            Self(listed: .randomNumbers)                               // Broadwell
    case (0x55, 0...5):                   Self(listed: skylake)                                      // Skylake-SP, -D, -X
    case (0x55, _):                       Self(listed: skylake | .targets)                           // Cascade Lake, Cooper Lake
    case (0x4e, _), (0x5e, _):            Self(listed: skylake | .randomNumbers)                     // Skylake
    case (0x8e, 0...11), (0x9e, 0...12):  Self(listed: skylake | .randomNumbers)                     // Kaby Lake, Coffee Lake
    case (0x8e, _), (0x9e, _):            Self(listed: skylake | .randomNumbers | .targets)          // their last steppings
    case (0xa5, _), (0xa6, _):            Self(listed: skylake | .randomNumbers | .targets)          // Comet Lake
    case (0x66, _):                       Self(listed: .returns)                                     // Cannon Lake
    case (0x7d, _), (0x7e, _):            Self(listed: skylake | .randomNumbers | .targets)          // Ice Lake
    case (0x6a, _), (0x6c, _):            Self(listed: .staleData | .gather | .targets)              // Ice Lake-SP, -D
    case (0x8c, _), (0x8d, _):            Self(listed: .gather | .targets)                           // Tiger Lake
    case (0xa7, _):                       Self(listed: skylake | .targets)                           // Rocket Lake
    case (0x8a, _):                       Self(listed: .staleData | .randomNumbers | .returns)       // Lakefield
    case (0x97, _), (0x9a, _), (0xbe, _): Self(listed: .registerFile)                                // Alder Lake
    case (0xb7, _), (0xba, _), (0xbf, _): Self(listed: .registerFile)                                // Raptor Lake
    default:                              Self()
    }
  }

  /// AMD's, from family 15h on.
  static func amd(family: UInt32, model: UInt32) -> Self {
    switch (family, model) {
    case (0x15, _), (0x16, _):            Self(never: amdNever, listed: .returns)                    // Bulldozer, Jaguar
    case (0x17, 0x30...0x4f), (0x17, 0x60...0x7f), (0x17, 0x90...0x91), (0x17, 0xa0...0xaf):
      Self(never: amdNever, listed: .returns | .returnStack | .vectorRegisters)                     // Zen 2
    case (0x17, _), (0x18, _):            Self(never: amdNever, listed: .returns | .returnStack)     // Zen, Zen+
    case (0x19, _):                       Self(never: amdNever, listed: .returnStack | .scheduling)  // Zen 3, Zen 4
    case (0x1a, _):                       Self(never: amdNever, listed: .returnStack)                // Zen 5
    default:                              Self(never: amdNever)
    }
  }

  private static var smallCores: Vulnerabilities { .terminalFault | .pageSizes | .lazyState }
  private static var skylake: Vulnerabilities    { .staleData | .returns | .gather }
  private static var amdNever: Vulnerabilities {
    .meltdown | .terminalFault | .buffers | .aborts | .staleData | .registerFile | .pageSizes | .history | .lazyState
  }
}
