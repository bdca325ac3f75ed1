// SPDX-License-Identifier: MIT
//
// The handlers of all calls: int64_t linux_name(thread, arguments), a result or a negated error.

#ifndef CALLS_CALLS_H
#define CALLS_CALLS_H

#include <linux/arch/guest.h>

struct thread;

#define ARGUMENTS0()
#define ARGUMENTS1(t0, n0)                                         , t0 n0
#define ARGUMENTS2(t0, n0, t1, n1)                                 , t0 n0, t1 n1
#define ARGUMENTS3(t0, n0, t1, n1, t2, n2)                         , t0 n0, t1 n1, t2 n2
#define ARGUMENTS4(t0, n0, t1, n1, t2, n2, t3, n3)                 , t0 n0, t1 n1, t2 n2, t3 n3
#define ARGUMENTS5(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4)         , t0 n0, t1 n1, t2 n2, t3 n3, t4 n4
#define ARGUMENTS6(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5) , t0 n0, t1 n1, t2 n2, t3 n3, t4 n4, t5 n5
#define MISSING(x86_64, generic, name)
#define CALL(x86_64, generic, name, arguments) int64_t linux_##name(struct thread *thread arguments);
#include <linux/calls/calls.def>
#include <linux/calls/calls_undef.h>

#endif
