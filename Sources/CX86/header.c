// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// Includes the header, so that a change to it rebuilds what imports this module; holds the layouts that entry.S counts on.

#include "CX86.h"
#include <stddef.h>

_Static_assert(offsetof(cx86_frame, vector) == 120 && offsetof(cx86_frame, rip) == 136, "entry.S");
_Static_assert(offsetof(cx86_frame, kernelStack) == CX86_FRAME_END && sizeof(cx86_frame) == 192, "entry.S");
