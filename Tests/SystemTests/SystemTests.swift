// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// Whole systems in the emulator, typed at as a person would. One after the other: each wants the machine for itself.
@Suite(.serialized)
enum SystemTests {}
