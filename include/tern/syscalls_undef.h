// SPDX-License-Identifier: MIT
//
// Undefines the macros that an includer of syscalls.def defined. No include guard: it is used again and
// again.

#undef SYSCALL
#undef SYSCALL_IPC
#undef NO_VALUE
#undef VALUE
#undef ARGUMENTS0
#undef ARGUMENTS1
#undef ARGUMENTS2
#undef ARGUMENTS3
#undef ARGUMENTS4
#undef ARGUMENTS5
#undef ARGUMENTS6
#undef USER_IN
#undef USER_OUT
