// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
