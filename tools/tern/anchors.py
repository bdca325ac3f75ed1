# SPDX-License-Identifier: MIT
"""Instruction counts of seL4, measured as Tern's are: QEMU 7.2, -icount shift=0, one CPU, release build.

seL4 16.0.0-dev, commit 1326364bc; the MCS figures are of its build with scheduling contexts and a passive server.
"""

from __future__ import annotations

ISAS = ("x86_64", "riscv64", "aarch64")

# Our name: seL4's counts in the order of ISAS. A signal and its wait, or a fault and its answer, are one operation.
SEL4: dict[str, tuple[int, int, int]] = {
    "ipc_rt_process_0w": (426, 544, 415),
    "ipc_rt_process_4w": (466, 590, 462),
    "ipc_rt_process_4w_fpu": (494, 763, 567),
    "ipc_rt_thread_0w": (422, 544, 415),
    "ipc_rt_thread_4w": (462, 590, 462),
    "notification_poll_idle": (245, 307, 221),
    "notification_signal_idle": (375, 437, 324),
    "notification_signal_wait_self": (631, 764, 559),
    "notification_rt_high": (951, 1199, 866),
    "notification_pingpong": (2029, 2699, 1861),
    "yield_alone": (285, 470, 312),
    "yield_rt": (518, 847, 557),
    "fault_rt": (1260, 1428, 1088),
    "page_map": (800, 743, 562),
    "page_unmap": (652, 692, 513),
    "cap_copy": (898, 921, 664),
    "cap_close": (734, 852, 604),
    "thread_create_start": (8488, 5731, 4759),
    "thread_destroy": (2563, 2998, 2164),
}

SEL4_MCS: dict[str, tuple[int, int, int]] = {
    "ipc_rt_process_0w": (528, 646, 483),
    "ipc_rt_process_4w": (569, 693, 532),
}


# What we want to reach: at most so much of seL4's count.
GOALS = {
    "ipc_rt_process_0w": 0.55,
    "ipc_rt_process_4w": 0.5,
    "ipc_rt_process_4w_fpu": 0.55,  # 0.5 on x86_64
    "ipc_rt_thread_0w": 0.55,
    "ipc_rt_thread_4w": 0.55,
    "notification_poll_idle": 0.7,
    "notification_signal_idle": 0.5,
    "notification_signal_wait_self": 0.5,
    "notification_rt_high": 0.5,
    "notification_pingpong": 0.5,
    "yield_alone": 0.7,
    "yield_rt": 0.7,
    "fault_rt": 0.6,
    "page_map": 0.8,
    "page_unmap": 0.8,
    "cap_copy": 0.4,
    "cap_close": 0.4,
    "thread_create_start": 0.8,
    "thread_destroy": 0.8,
}
# Where seL4 has nothing like it: instructions, in the order of GOAL_ISAS.
GOAL_ISAS = ("x86_64", "aarch64", "riscv64")
INSTRUCTIONS_AT_MOST = {"guest_null_call": (200, 200, 250)}


def sel4(architecture: str, name: str) -> int | None:
    """seL4's count for one of our operations, or None where there is none."""
    counts = SEL4.get(name)
    return counts[ISAS.index(architecture)] if counts else None


def misses(architecture: str, name: str, instructions: float) -> bool:
    """Whether one of our operations takes more than we want."""
    if name in INSTRUCTIONS_AT_MOST:
        return instructions > INSTRUCTIONS_AT_MOST[name][GOAL_ISAS.index(architecture)]
    peer = sel4(architecture, name)
    return bool(peer and name in GOALS and instructions > GOALS[name] * peer)


def sel4_mcs(architecture: str, name: str) -> int | None:
    """The same of its MCS build."""
    counts = SEL4_MCS.get(name)
    return counts[ISAS.index(architecture)] if counts else None
