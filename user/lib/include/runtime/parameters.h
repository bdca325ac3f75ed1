// SPDX-License-Identifier: MIT
//
// PARAMETERS(result, arguments): the C parameter list of an entry of tern/syscalls.def.

#ifndef RUNTIME_PARAMETERS_H
#define RUNTIME_PARAMETERS_H

#define PARAMETERS(result, arguments)                                                                    \
	PARAMETERS_##arguments PARAMETERS_BETWEEN(PARAMETERS_COUNT_##arguments, PARAMETERS_HAS_##result) \
		PARAMETERS_##result

#define PARAMETERS_ARGUMENTS0()
#define PARAMETERS_ARGUMENTS1(t0, n0)                                 t0 n0
#define PARAMETERS_ARGUMENTS2(t0, n0, t1, n1)                         t0 n0, t1 n1
#define PARAMETERS_ARGUMENTS3(t0, n0, t1, n1, t2, n2)                 t0 n0, t1 n1, t2 n2
#define PARAMETERS_ARGUMENTS4(t0, n0, t1, n1, t2, n2, t3, n3)         t0 n0, t1 n1, t2 n2, t3 n3
#define PARAMETERS_ARGUMENTS5(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4) t0 n0, t1 n1, t2 n2, t3 n3, t4 n4
#define PARAMETERS_ARGUMENTS6(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5) \
	t0 n0, t1 n1, t2 n2, t3 n3, t4 n4, t5 n5

#define PARAMETERS_NO_VALUE
#define PARAMETERS_VALUE(type, name) type *name

// What stands between arguments and value: nothing, a comma, or the `void` of an empty list.
#define PARAMETERS_BETWEEN(count, has)  PARAMETERS_BETWEEN_(count, has)
#define PARAMETERS_BETWEEN_(count, has) PARAMETERS_##count##_##has
#define PARAMETERS_NONE_NO              void
#define PARAMETERS_NONE_YES
#define PARAMETERS_SOME_NO
#define PARAMETERS_SOME_YES ,

#define PARAMETERS_COUNT_ARGUMENTS0()    NONE
#define PARAMETERS_COUNT_ARGUMENTS1(...) SOME
#define PARAMETERS_COUNT_ARGUMENTS2(...) SOME
#define PARAMETERS_COUNT_ARGUMENTS3(...) SOME
#define PARAMETERS_COUNT_ARGUMENTS4(...) SOME
#define PARAMETERS_COUNT_ARGUMENTS5(...) SOME
#define PARAMETERS_COUNT_ARGUMENTS6(...) SOME

#define PARAMETERS_HAS_NO_VALUE          NO
#define PARAMETERS_HAS_VALUE(type, name) YES

#endif
