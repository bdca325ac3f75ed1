// SPDX-License-Identifier: MIT
//
// The same contract as on the ISAs for unit tests on the build machine, which play the kernel themselves.

#ifndef RUNTIME_ARCH_H
#define RUNTIME_ARCH_H

#include <runtime/message.h>
#include <tern/types.h>

enum error arch_ipc(uint64_t number, handle_t handle, struct message *message);
enum error arch_ipc_short(uint64_t number, handle_t handle, struct short_message *message);

#endif
