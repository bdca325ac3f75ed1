// SPDX-License-Identifier: MIT
//
// Undefines the macros that an includer of calls.def defined. No include guard: it is used again and again.

#undef CALL
#undef MISSING
#undef ARGUMENTS0
#undef ARGUMENTS1
#undef ARGUMENTS2
#undef ARGUMENTS3
#undef ARGUMENTS4
#undef ARGUMENTS5
#undef ARGUMENTS6
